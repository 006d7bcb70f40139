/* Digests */
EVP_MD_CTX *EVP_MD_CTX_dup(const EVP_MD_CTX *);
