# shellcheck shell=sh
# Sourced by tools/setup.sh: what a machine must have before .venv can be made, and how to get it.

# NEED | what it is | Debian, Ubuntu | Fedora | Alpine | macOS
needs='
python    | Python 3.10 or later                      | python3                 | python3                          | python3              | python
venv      | the modules venv and ensurepip of Python  | PYTHON-venv             | python3                          | python3              | python
compiler  | a C compiler                              | gcc libc6-dev           | gcc glibc-devel                  | gcc musl-dev         | -
pyheaders | the C headers of Python (Python.h)        | PYTHON-dev              | python3-devel                    | python3-dev          | python
openssldev| the C headers of OpenSSL 3.0 or later     | libssl-dev pkg-config   | openssl-devel pkgconf-pkg-config | openssl-dev pkgconf  | openssl@3 pkgconf
openssl   | the command openssl, 3.0 or later         | openssl                 | openssl                          | openssl              | openssl@3
'

new_enough() {
    "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

# Sets $base_python to the interpreter to make .venv with, empty if there is none.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.10 or later"
        base_python=$PYTHON
        return
    fi
    for base_python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if new_enough "$base_python"; then return; fi
    done
    base_python=
}

# Sets $openssl_header to the opensslv.h that the build will see, empty if there is none: that of OPENSSL_DIR, else
# of pkg-config, else of the compiler's usual places.
find_openssl() {
    if [ -n "${OPENSSL_DIR:-}" ]; then
        set -- "$OPENSSL_DIR/include"
    else
        # shellcheck disable=SC2086  # PKG_CONFIG may come with options
        set -- "$(${PKG_CONFIG:-pkg-config} --variable=includedir libcrypto 2>/dev/null)" /usr/local/include /usr/include
    fi
    for openssl_header; do
        openssl_header=$openssl_header/openssl/opensslv.h
        if [ -r "$openssl_header" ]; then return; fi
    done
    openssl_header=
}

has_openssl_headers() {
    find_openssl
    [ -n "$openssl_header" ] &&
        grep -Eq '^# *define +OPENSSL_VERSION_MAJOR +([3-9]|[1-9][0-9])' "$openssl_header"
}

# $CC, else the compiler that $base_python was made with, which setuptools will call; where that is missing and
# another one is here, CC is exported.
has_compiler() {
    if [ -n "${CC:-}" ]; then
        preprocesses "$CC" || die "CC=$CC does not compile"
        return 0
    fi
    cc=
    if [ -n "$base_python" ]; then
        cc=$("$base_python" -I -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')
        if preprocesses "$cc"; then return 0; fi
    fi
    for cc in cc gcc clang; do
        if preprocesses "$cc"; then
            export CC="$cc"
            return 0
        fi
    done
    return 1
}

preprocesses() {
    # shellcheck disable=SC2086  # a compiler's name may come with options: "gcc -pthread"
    printf '#include <stdio.h>\n' | $1 -E -x c - >/dev/null 2>&1
}

# Sets $missing to the needs that are not met. An existing .venv (then $base_python is its own) needs no ensurepip.
find_missing() {
    missing=
    if [ -z "$base_python" ]; then
        missing='python venv pyheaders'
    else
        [ "$base_python" = "$python" ] || "$base_python" -I -c 'import ensurepip, venv' 2>/dev/null ||
            missing="$missing venv"
        [ -r "$("$base_python" -I -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] ||
            missing="$missing pyheaders"
    fi
    has_compiler || missing="$missing compiler"
    if ! has_openssl_headers; then
        [ -z "${OPENSSL_DIR:-}" ] || die "OPENSSL_DIR=$OPENSSL_DIR has no headers of OpenSSL 3.0 or later in include/"
        missing="$missing openssldev"
    fi
    case $(openssl version 2>/dev/null) in
        'OpenSSL '[3-9]* | 'OpenSSL '[1-9][0-9]*) ;;
        *) missing="$missing openssl" ;;
    esac
}

# Prints column $1 of the table for all that is missing: 2 what it is, a line each; 3 to 6 package names, in a line.
of_missing() {
    # Debian names the packages of an interpreter that is not its default after that interpreter.
    debian_python=python3
    if [ -n "$base_python" ] && [ -x /usr/bin/python3 ]; then
        version='import sys; print("python%d.%d" % sys.version_info[:2])'
        wanted=$("$base_python" -I -c "$version")
        [ "$wanted" = "$(/usr/bin/python3 -I -c "$version")" ] || debian_python=$wanted
    fi
    printf '%s\n' "$needs" | awk -F ' *[|] *' -v column="$1" -v missing="$missing" -v python="$debian_python" '
        BEGIN { split(missing, names, " "); for (i in names) wanted[names[i]] = 1 }
        { sub(/ +$/, "", $1) }
        !($1 in wanted) || $column == "-" { next }
        column == 2 { print "  - " $2; next }
        {
            gsub(/PYTHON/, python, $column)
            sub(/ +$/, "", $column)
            count = split($column, packages, " ")
            for (i = 1; i <= count; i++) if (!seen[packages[i]]++) line = line " " packages[i]
        }
        END { if (line) print substr(line, 2) }'
}

list_missing() {
    brew=$(of_missing 6)
    case " $missing " in *' compiler '*) xcode='xcode-select --install' ;; *) xcode= ;; esac
    {
        echo 'dev: this machine lacks'
        of_missing 2
        echo 'Install it and run the same command again:'
        echo "  Debian, Ubuntu  sudo apt-get install $(of_missing 3)"
        echo "  Fedora          sudo dnf install $(of_missing 4)"
        echo "  Alpine          sudo apk add $(of_missing 5)"
        echo "  macOS           $xcode${xcode:+${brew:+; }}${brew:+brew install $brew}"
        echo 'PYTHON=... names another Python, OPENSSL_DIR=... the folder of another OpenSSL.'
    } >&2
}

# Runs a command as root, or fails where that needs a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Package lists may be absent or so old that the files they name are gone.
apt_install() {
    if ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
        if apt_get install --no-install-recommends "$@"; then return 0; fi
    fi
    apt_get update && apt_get install --no-install-recommends "$@"
}

# Leaves with the list of what to install where something is missing and cannot be had.
meet_needs() {
    find_missing
    [ -n "$missing" ] || return 0
    if command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
        packages=$(of_missing 3)
        # shellcheck disable=SC2086  # one word for each package
        step "installing with apt-get: $packages" apt_install $packages || failed
        [ -n "$base_python" ] || find_python
        find_missing
        [ -n "$missing" ] || return 0
    fi
    list_missing
    exit 1
}
