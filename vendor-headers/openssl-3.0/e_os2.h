/* Types */
typedef int... time_t;
