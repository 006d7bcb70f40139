/* <openssl/conf.h>: configuration files. */

/* Types */
typedef struct { char *section; char *name; char *value; } CONF_VALUE;
typedef void (*sk_CONF_VALUE_freefunc)(CONF_VALUE *);
typedef CONF_VALUE *(*sk_CONF_VALUE_copyfunc)(const CONF_VALUE *);
typedef struct conf_method_st CONF_METHOD;

/* How modules are loaded */
#define CONF_MFLAGS_IGNORE_ERRORS ...
#define CONF_MFLAGS_IGNORE_RETURN_CODES ...
#define CONF_MFLAGS_SILENT ...
#define CONF_MFLAGS_NO_DSO ...
#define CONF_MFLAGS_IGNORE_MISSING_FILE ...
#define CONF_MFLAGS_DEFAULT_SECTION ...

/* Configuration files */
CONF *NCONF_new_ex(OSSL_LIB_CTX *, CONF_METHOD *);
OSSL_LIB_CTX *NCONF_get0_libctx(const CONF *);
CONF *NCONF_new(CONF_METHOD *);
CONF_METHOD *NCONF_default(void);
void NCONF_free(CONF *);
void NCONF_free_data(CONF *);
int NCONF_load(CONF *, const char *, long *);
int NCONF_load_bio(CONF *, BIO *, long *);
struct stack_st_OPENSSL_CSTRING *NCONF_get_section_names(const CONF *);
struct stack_st_CONF_VALUE *NCONF_get_section(const CONF *, const char *);
char *NCONF_get_string(const CONF *, const char *, const char *);
int NCONF_get_number_e(const CONF *, const char *, const char *, long *);
int NCONF_dump_bio(const CONF *, BIO *);
char *CONF_get1_default_config_file(void);
int CONF_parse_list(const char *, int, int, int (*)(const char *, int, void *), void *);
MACRO int NCONF_get_number(const CONF *, const char *, const char *, long *);

/* Configured modules */
int CONF_modules_load(const CONF *, const char *, unsigned long);
int CONF_modules_load_file_ex(OSSL_LIB_CTX *, const char *, const char *, unsigned long);
int CONF_modules_load_file(const char *, const char *, unsigned long);
void CONF_modules_unload(int);
void CONF_modules_finish(void);
void OPENSSL_load_builtin_modules(void);

/* Stacks of CONF_VALUE */
MACRO int sk_CONF_VALUE_num(const struct stack_st_CONF_VALUE *);
MACRO CONF_VALUE *sk_CONF_VALUE_value(const struct stack_st_CONF_VALUE *, int);
MACRO struct stack_st_CONF_VALUE *sk_CONF_VALUE_new_null(void);
MACRO int sk_CONF_VALUE_push(struct stack_st_CONF_VALUE *, CONF_VALUE *);
MACRO int sk_CONF_VALUE_insert(struct stack_st_CONF_VALUE *, CONF_VALUE *, int);
MACRO CONF_VALUE *sk_CONF_VALUE_set(struct stack_st_CONF_VALUE *, int, CONF_VALUE *);
MACRO CONF_VALUE *sk_CONF_VALUE_pop(struct stack_st_CONF_VALUE *);
MACRO CONF_VALUE *sk_CONF_VALUE_shift(struct stack_st_CONF_VALUE *);
MACRO CONF_VALUE *sk_CONF_VALUE_delete(struct stack_st_CONF_VALUE *, int);
MACRO void sk_CONF_VALUE_free(struct stack_st_CONF_VALUE *);
MACRO void sk_CONF_VALUE_pop_free(struct stack_st_CONF_VALUE *, sk_CONF_VALUE_freefunc);
MACRO struct stack_st_CONF_VALUE *sk_CONF_VALUE_dup(const struct stack_st_CONF_VALUE *);
MACRO struct stack_st_CONF_VALUE *sk_CONF_VALUE_deep_copy(const struct stack_st_CONF_VALUE *, sk_CONF_VALUE_copyfunc, sk_CONF_VALUE_freefunc);
