/* <openssl/crypto.h>: versions, memory and library contexts; what OpenSSL 3.6 added. */

/* Memory */
void *CRYPTO_malloc_array(size_t, size_t, const char *, int);
void *CRYPTO_realloc_array(void *, size_t, size_t, const char *, int);
void *CRYPTO_secure_malloc_array(size_t, size_t, const char *, int);
void *CRYPTO_secure_calloc(size_t, size_t, const char *, int);
