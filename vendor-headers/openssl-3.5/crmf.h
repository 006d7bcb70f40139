/* <openssl/crmf.h>: certificate requests; what OpenSSL 3.5 added. */

/* Types */
typedef struct ossl_crmf_encryptedkey_st OSSL_CRMF_ENCRYPTEDKEY;

/* Encrypted values */
OSSL_CRMF_ENCRYPTEDKEY *OSSL_CRMF_ENCRYPTEDKEY_new(void);
void OSSL_CRMF_ENCRYPTEDKEY_free(OSSL_CRMF_ENCRYPTEDKEY *);
OSSL_CRMF_ENCRYPTEDKEY *d2i_OSSL_CRMF_ENCRYPTEDKEY(OSSL_CRMF_ENCRYPTEDKEY **, const unsigned char **, long);
int i2d_OSSL_CRMF_ENCRYPTEDKEY(const OSSL_CRMF_ENCRYPTEDKEY *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_ENCRYPTEDKEY_it(void);
X509 *OSSL_CRMF_ENCRYPTEDKEY_get1_encCert(const OSSL_CRMF_ENCRYPTEDKEY *, OSSL_LIB_CTX *, const char *, EVP_PKEY *, unsigned int);
unsigned char *OSSL_CRMF_ENCRYPTEDVALUE_decrypt(const OSSL_CRMF_ENCRYPTEDVALUE *, OSSL_LIB_CTX *, const char *, EVP_PKEY *, int *);
EVP_PKEY *OSSL_CRMF_ENCRYPTEDKEY_get1_pkey(const OSSL_CRMF_ENCRYPTEDKEY *, X509_STORE *, struct stack_st_X509 *, EVP_PKEY *, X509 *, ASN1_OCTET_STRING *, OSSL_LIB_CTX *, const char *);
OSSL_CRMF_ENCRYPTEDKEY *OSSL_CRMF_ENCRYPTEDKEY_init_envdata(CMS_EnvelopedData *);

/* Central key generation */
int OSSL_CRMF_MSG_centralkeygen_requested(const OSSL_CRMF_MSG *, const X509_REQ *);
