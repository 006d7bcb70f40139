/* Constants */
static const char *const PEM_STRING_ACERT;
