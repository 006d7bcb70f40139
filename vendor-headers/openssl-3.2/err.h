/* The error queue */
int ERR_count_to_mark(void);
