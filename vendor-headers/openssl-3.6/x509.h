/* Revocation lists */
const X509_ALGOR *X509_CRL_get0_tbs_sigalg(const X509_CRL *);
