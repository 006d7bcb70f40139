/* <openssl/crmf.h>: certificate requests; what OpenSSL 3.2 added. */

/* The certificate template */
X509_PUBKEY *OSSL_CRMF_CERTTEMPLATE_get0_publicKey(const OSSL_CRMF_CERTTEMPLATE *);
