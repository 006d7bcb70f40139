/* Digests */
int EVP_DigestSqueeze(EVP_MD_CTX *, unsigned char *, size_t);
