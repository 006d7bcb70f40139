/* <openssl/pem.h>: PEM. */

/* Labels */
static const char *const PEM_STRING_X509_OLD;
static const char *const PEM_STRING_X509;
static const char *const PEM_STRING_X509_TRUSTED;
static const char *const PEM_STRING_X509_REQ_OLD;
static const char *const PEM_STRING_X509_REQ;
static const char *const PEM_STRING_X509_CRL;
static const char *const PEM_STRING_EVP_PKEY;
static const char *const PEM_STRING_PUBLIC;
static const char *const PEM_STRING_RSA;
static const char *const PEM_STRING_RSA_PUBLIC;
static const char *const PEM_STRING_DSA;
static const char *const PEM_STRING_DSA_PUBLIC;
static const char *const PEM_STRING_PKCS7;
static const char *const PEM_STRING_PKCS7_SIGNED;
static const char *const PEM_STRING_PKCS8;
static const char *const PEM_STRING_PKCS8INF;
static const char *const PEM_STRING_DHPARAMS;
static const char *const PEM_STRING_DHXPARAMS;
static const char *const PEM_STRING_SSL_SESSION;
static const char *const PEM_STRING_DSAPARAMS;
static const char *const PEM_STRING_ECDSA_PUBLIC;
static const char *const PEM_STRING_ECPARAMETERS;
static const char *const PEM_STRING_ECPRIVATEKEY;
static const char *const PEM_STRING_PARAMETERS;
static const char *const PEM_STRING_CMS;

/* Other constants */
#define PEM_BUFSIZE ...
#define PEM_FLAG_SECURE ...
#define PEM_FLAG_EAY_COMPATIBLE ...
#define PEM_FLAG_ONLY_B64 ...

/* Any PEM */
int PEM_read_bio(BIO *, char **, char **, unsigned char **, long *);
int PEM_read_bio_ex(BIO *, char **, char **, unsigned char **, long *, unsigned int);
int PEM_bytes_read_bio_secmem(unsigned char **, long *, char **, const char *, BIO *, pem_password_cb *, void *);
int PEM_write_bio(BIO *, const char *, const char *, const unsigned char *, long);
int PEM_bytes_read_bio(unsigned char **, long *, char **, const char *, BIO *, pem_password_cb *, void *);
void *PEM_ASN1_read_bio(d2i_of_void *, const char *, BIO *, void **, pem_password_cb *, void *);
int PEM_ASN1_write_bio(i2d_of_void *, const char *, BIO *, const void *, const EVP_CIPHER *, const unsigned char *, int, pem_password_cb *, void *);
struct stack_st_X509_INFO *PEM_X509_INFO_read_bio(BIO *, struct stack_st_X509_INFO *, pem_password_cb *, void *);
struct stack_st_X509_INFO *PEM_X509_INFO_read_bio_ex(BIO *, struct stack_st_X509_INFO *, pem_password_cb *, void *, OSSL_LIB_CTX *, const char *);
int PEM_X509_INFO_write_bio(BIO *, const X509_INFO *, EVP_CIPHER *, const unsigned char *, int, pem_password_cb *, void *);
int PEM_def_callback(char *, int, int, void *);

/* Certificates, requests, CRLs */
X509 *PEM_read_bio_X509(BIO *, X509 **, pem_password_cb *, void *);
int PEM_write_bio_X509(BIO *, const X509 *);
X509 *PEM_read_bio_X509_AUX(BIO *, X509 **, pem_password_cb *, void *);
int PEM_write_bio_X509_AUX(BIO *, const X509 *);
X509_REQ *PEM_read_bio_X509_REQ(BIO *, X509_REQ **, pem_password_cb *, void *);
int PEM_write_bio_X509_REQ(BIO *, const X509_REQ *);
int PEM_write_bio_X509_REQ_NEW(BIO *, const X509_REQ *);
X509_CRL *PEM_read_bio_X509_CRL(BIO *, X509_CRL **, pem_password_cb *, void *);
int PEM_write_bio_X509_CRL(BIO *, const X509_CRL *);
X509_PUBKEY *PEM_read_bio_X509_PUBKEY(BIO *, X509_PUBKEY **, pem_password_cb *, void *);
int PEM_write_bio_X509_PUBKEY(BIO *, const X509_PUBKEY *);
PKCS7 *PEM_read_bio_PKCS7(BIO *, PKCS7 **, pem_password_cb *, void *);
int PEM_write_bio_PKCS7(BIO *, const PKCS7 *);

/* Keys */
X509_SIG *PEM_read_bio_PKCS8(BIO *, X509_SIG **, pem_password_cb *, void *);
int PEM_write_bio_PKCS8(BIO *, const X509_SIG *);
PKCS8_PRIV_KEY_INFO *PEM_read_bio_PKCS8_PRIV_KEY_INFO(BIO *, PKCS8_PRIV_KEY_INFO **, pem_password_cb *, void *);
int PEM_write_bio_PKCS8_PRIV_KEY_INFO(BIO *, const PKCS8_PRIV_KEY_INFO *);
EVP_PKEY *PEM_read_bio_PrivateKey(BIO *, EVP_PKEY **, pem_password_cb *, void *);
EVP_PKEY *PEM_read_bio_PrivateKey_ex(BIO *, EVP_PKEY **, pem_password_cb *, void *, OSSL_LIB_CTX *, const char *);
int PEM_write_bio_PrivateKey(BIO *, const EVP_PKEY *, const EVP_CIPHER *, const unsigned char *, int, pem_password_cb *, void *);
int PEM_write_bio_PrivateKey_ex(BIO *, const EVP_PKEY *, const EVP_CIPHER *, const unsigned char *, int, pem_password_cb *, void *, OSSL_LIB_CTX *, const char *);
EVP_PKEY *PEM_read_bio_PUBKEY(BIO *, EVP_PKEY **, pem_password_cb *, void *);
EVP_PKEY *PEM_read_bio_PUBKEY_ex(BIO *, EVP_PKEY **, pem_password_cb *, void *, OSSL_LIB_CTX *, const char *);
int PEM_write_bio_PUBKEY(BIO *, const EVP_PKEY *);
int PEM_write_bio_PUBKEY_ex(BIO *, const EVP_PKEY *, OSSL_LIB_CTX *, const char *);
int PEM_write_bio_PrivateKey_traditional(BIO *, const EVP_PKEY *, const EVP_CIPHER *, const unsigned char *, int, pem_password_cb *, void *);
int PEM_write_bio_PKCS8PrivateKey(BIO *, const EVP_PKEY *, const EVP_CIPHER *, const char *, int, pem_password_cb *, void *);
int i2d_PKCS8PrivateKey_bio(BIO *, const EVP_PKEY *, const EVP_CIPHER *, const char *, int, pem_password_cb *, void *);
EVP_PKEY *d2i_PKCS8PrivateKey_bio(BIO *, EVP_PKEY **, pem_password_cb *, void *);
EVP_PKEY *PEM_read_bio_Parameters_ex(BIO *, EVP_PKEY **, OSSL_LIB_CTX *, const char *);
EVP_PKEY *PEM_read_bio_Parameters(BIO *, EVP_PKEY **);
int PEM_write_bio_Parameters(BIO *, const EVP_PKEY *);
