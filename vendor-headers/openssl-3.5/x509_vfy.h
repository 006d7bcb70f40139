/* Verification parameters */
int X509_VERIFY_PARAM_get_purpose(const X509_VERIFY_PARAM *);
