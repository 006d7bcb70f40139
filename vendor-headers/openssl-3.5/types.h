/* Types */
typedef struct evp_skey_st EVP_SKEY;
