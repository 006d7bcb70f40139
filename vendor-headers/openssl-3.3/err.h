/* The error queue */
int ERR_pop(void);
