/* <openssl/safestack.h>: stacks of strings. */

/* Types */
typedef void (*sk_OPENSSL_STRING_freefunc)(char *);
typedef char *(*sk_OPENSSL_STRING_copyfunc)(const char *);

/* Stacks of OPENSSL_STRING */
MACRO int sk_OPENSSL_STRING_num(const struct stack_st_OPENSSL_STRING *);
MACRO char *sk_OPENSSL_STRING_value(const struct stack_st_OPENSSL_STRING *, int);
MACRO struct stack_st_OPENSSL_STRING *sk_OPENSSL_STRING_new_null(void);
MACRO int sk_OPENSSL_STRING_push(struct stack_st_OPENSSL_STRING *, char *);
MACRO int sk_OPENSSL_STRING_insert(struct stack_st_OPENSSL_STRING *, char *, int);
MACRO char *sk_OPENSSL_STRING_set(struct stack_st_OPENSSL_STRING *, int, char *);
MACRO char *sk_OPENSSL_STRING_pop(struct stack_st_OPENSSL_STRING *);
MACRO char *sk_OPENSSL_STRING_shift(struct stack_st_OPENSSL_STRING *);
MACRO char *sk_OPENSSL_STRING_delete(struct stack_st_OPENSSL_STRING *, int);
MACRO void sk_OPENSSL_STRING_free(struct stack_st_OPENSSL_STRING *);
MACRO void sk_OPENSSL_STRING_pop_free(struct stack_st_OPENSSL_STRING *, sk_OPENSSL_STRING_freefunc);
MACRO struct stack_st_OPENSSL_STRING *sk_OPENSSL_STRING_dup(const struct stack_st_OPENSSL_STRING *);
MACRO struct stack_st_OPENSSL_STRING *sk_OPENSSL_STRING_deep_copy(const struct stack_st_OPENSSL_STRING *, sk_OPENSSL_STRING_copyfunc, sk_OPENSSL_STRING_freefunc);
