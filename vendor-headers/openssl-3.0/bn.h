/* <openssl/bn.h>: big numbers. */

/* Big numbers */
int BN_is_zero(const BIGNUM *);
const BIGNUM *BN_value_one(void);
int BN_rand(BIGNUM *, int, int, int);
int BN_num_bits(const BIGNUM *);
BIGNUM *BN_new(void);
void BN_clear_free(BIGNUM *);
BIGNUM *BN_copy(BIGNUM *, const BIGNUM *);
BIGNUM *BN_bin2bn(const unsigned char *, int, BIGNUM *);
int BN_bn2bin(const BIGNUM *, unsigned char *);
int BN_bn2binpad(const BIGNUM *, unsigned char *, int);
BIGNUM *BN_lebin2bn(const unsigned char *, int, BIGNUM *);
int BN_is_negative(const BIGNUM *);
int BN_add_word(BIGNUM *, unsigned long);
int BN_set_word(BIGNUM *, unsigned long);
unsigned long BN_get_word(const BIGNUM *);
int BN_cmp(const BIGNUM *, const BIGNUM *);
void BN_free(BIGNUM *);
BIGNUM *BN_dup(const BIGNUM *);
char *BN_bn2hex(const BIGNUM *);
char *BN_bn2dec(const BIGNUM *);
int BN_hex2bn(BIGNUM **, const char *);
int BN_dec2bn(BIGNUM **, const char *);
