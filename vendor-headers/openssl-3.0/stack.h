/* <openssl/stack.h>: stacks of anything. */

/* Types */
typedef struct stack_st OPENSSL_STACK;
typedef int (*OPENSSL_sk_compfunc)(const void *, const void *);
typedef void (*OPENSSL_sk_freefunc)(void *);
typedef void *(*OPENSSL_sk_copyfunc)(const void *);

/* Stacks of anything */
int OPENSSL_sk_num(const OPENSSL_STACK *);
void *OPENSSL_sk_value(const OPENSSL_STACK *, int);
void *OPENSSL_sk_set(OPENSSL_STACK *, int, const void *);
OPENSSL_STACK *OPENSSL_sk_new(OPENSSL_sk_compfunc);
OPENSSL_STACK *OPENSSL_sk_new_null(void);
OPENSSL_STACK *OPENSSL_sk_new_reserve(OPENSSL_sk_compfunc, int);
int OPENSSL_sk_reserve(OPENSSL_STACK *, int);
void OPENSSL_sk_free(OPENSSL_STACK *);
void OPENSSL_sk_pop_free(OPENSSL_STACK *, OPENSSL_sk_freefunc);
OPENSSL_STACK *OPENSSL_sk_deep_copy(const OPENSSL_STACK *, OPENSSL_sk_copyfunc, OPENSSL_sk_freefunc);
int OPENSSL_sk_insert(OPENSSL_STACK *, const void *, int);
void *OPENSSL_sk_delete(OPENSSL_STACK *, int);
void *OPENSSL_sk_delete_ptr(OPENSSL_STACK *, const void *);
int OPENSSL_sk_find(CONST_SINCE_4_0 OPENSSL_STACK *, const void *);
int OPENSSL_sk_push(OPENSSL_STACK *, const void *);
int OPENSSL_sk_unshift(OPENSSL_STACK *, const void *);
void *OPENSSL_sk_shift(OPENSSL_STACK *);
void *OPENSSL_sk_pop(OPENSSL_STACK *);
void OPENSSL_sk_zero(OPENSSL_STACK *);
OPENSSL_STACK *OPENSSL_sk_dup(const OPENSSL_STACK *);
void OPENSSL_sk_sort(OPENSSL_STACK *);
int OPENSSL_sk_is_sorted(const OPENSSL_STACK *);
