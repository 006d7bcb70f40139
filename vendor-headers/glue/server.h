/* The callbacks of OSSL_CMP_SRV_CTX_init() and OSSL_CMP_SRV_CTX_init_trans(), written in Python
   (osslcmp/_callbacks_server.py). */
extern "Python" {
    OSSL_CMP_PKISI *osslcmp_srv_cert_request(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, const OSSL_CRMF_MSG *,
                                             const X509_REQ *, X509 **, struct stack_st_X509 **, struct stack_st_X509 **);
    OSSL_CMP_PKISI *osslcmp_srv_rr(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const X509_NAME *, const ASN1_INTEGER *);
    int osslcmp_srv_genm(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const struct stack_st_OSSL_CMP_ITAV *,
                         struct stack_st_OSSL_CMP_ITAV **);
    void osslcmp_srv_error(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const OSSL_CMP_PKISI *, const ASN1_INTEGER *,
                           const OSSL_CMP_PKIFREETEXT *);
    int osslcmp_srv_cert_conf(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, const ASN1_OCTET_STRING *,
                              const OSSL_CMP_PKISI *);
    int osslcmp_srv_poll_req(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, OSSL_CMP_MSG **, int64_t *);
    int osslcmp_srv_delayed(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *);
}
