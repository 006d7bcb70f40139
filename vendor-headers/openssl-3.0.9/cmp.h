/* <openssl/cmp.h>: the client and the server of CMP; what OpenSSL 3.0.9 added. */

/* Messages */
int OSSL_CMP_MSG_update_recipNonce(OSSL_CMP_CTX *, OSSL_CMP_MSG *);
