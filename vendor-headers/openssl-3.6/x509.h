/* <openssl/x509.h>: certificates, requests, CRLs and names; what OpenSSL 3.6 added. */

/* Revocation lists */
const X509_ALGOR *X509_CRL_get0_tbs_sigalg(const X509_CRL *);
