/* Messages */
int OSSL_CMP_MSG_update_recipNonce(OSSL_CMP_CTX *, OSSL_CMP_MSG *);
