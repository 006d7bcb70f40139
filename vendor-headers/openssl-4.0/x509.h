/* Extensions */
X509_EXTENSION *X509v3_delete_extension(struct stack_st_X509_EXTENSION **, int);
