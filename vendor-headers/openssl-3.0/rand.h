/* <openssl/rand.h>: random numbers. */

/* Random numbers */
int RAND_bytes(unsigned char *, int);
int RAND_priv_bytes(unsigned char *, int);
int RAND_priv_bytes_ex(OSSL_LIB_CTX *, unsigned char *, size_t, unsigned int);
int RAND_bytes_ex(OSSL_LIB_CTX *, unsigned char *, size_t, unsigned int);
void RAND_seed(const void *, int);
void RAND_add(const void *, int, double);
int RAND_load_file(const char *, long);
int RAND_write_file(const char *);
const char *RAND_file_name(char *, size_t);
int RAND_status(void);
int RAND_poll(void);
