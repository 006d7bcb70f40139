/* Extensions */
struct stack_st_X509_EXTENSION *X509v3_add_extensions(struct stack_st_X509_EXTENSION **, const struct stack_st_X509_EXTENSION *);
