/* <openssl/crmferr.h>: reason codes of CRMF; what OpenSSL 4.0 added. */

/* Reason codes */
#define CRMF_R_ERROR_SIGNING_POPO ...
