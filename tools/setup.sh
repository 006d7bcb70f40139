# shellcheck shell=sh
# Sourced by ../dev, with the project's folder in $root and as the current one: makes .venv and keeps it right.
#
# .venv/setup-stamp tells what is in .venv, four lines: the folder it was made for, its interpreter, a checksum of what
# the packages came from, a checksum of what the extension was built from. `making` stands in the third line until all
# packages are in, so that a set-up cut short is noticed; `failed` when pip itself gave up, which leaves .venv sound.

venv=.venv
python=$root/.venv/bin/python
stamp=$venv/setup-stamp
log=build/setup.log
log_mode=new

# shellcheck source=tools/needs.sh
. "$root/tools/needs.sh"

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

# step TITLE COMMAND...: one line for the reader, the rest into the log.
step() {
    say "$1"
    mkdir -p build
    [ "$log_mode" = append ] || : >"$log"
    log_mode=append
    printf '\n== %s\n' "$1" >>"$log"
    shift
    "$@" >>"$log" 2>&1 </dev/null
}

failed() {
    tail -n 30 "$log" >&2
    die "the last step failed; all it said is in $root/$log"
}

# Two lines: where the interpreter $1 has its environment, and which Python it is.
identity() {
    "$1" -I -c 'import sys
print(sys.prefix, sys.implementation.name + " " + sys.version.split()[0] + " " + sys.base_prefix, sep="\n")' 2>/dev/null
}

packages_key() { cksum <pyproject.toml; }

extension_key() {
    find_openssl
    {
        echo "${OPENSSL_DIR:-}"
        cksum setup.py build_cffi.py ${openssl_header:+"$openssl_header"}
        find vendor-headers -name '*.[ch]' -type f -exec cksum {} + | LC_ALL=C sort
    } | cksum
}

read_stamp() {
    stamp_root='' stamp_id='' stamp_packages='' stamp_extension=''
    [ -r "$stamp" ] || return 0
    {
        IFS= read -r stamp_root
        IFS= read -r stamp_id
        IFS= read -r stamp_packages
        IFS= read -r stamp_extension
    } <"$stamp" || :
}

write_stamp() {
    printf '%s\n' "$root" "$venv_id" "$1" "$2" >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# Sets $trouble to why .venv cannot be used as it is, empty if it can, and $venv_id to its interpreter.
examine_venv() {
    trouble=
    read_stamp
    if [ ! -e "$venv" ] && [ ! -h "$venv" ]; then
        trouble=absent
        return
    fi
    venv_id=$(identity "$python") || venv_id=
    venv_prefix=${venv_id%%
*}
    venv_id=${venv_id#*
}
    if [ -z "$venv_id" ]; then
        trouble='its Python does not run'
    elif [ "$stamp_packages" = making ]; then
        trouble='its set-up was cut short'
    elif [ "$venv_prefix" != "$root/$venv" ] || [ "${stamp_root:-$root}" != "$root" ]; then
        trouble='it was made for another folder'
    elif [ "${stamp_id:-$venv_id}" != "$venv_id" ]; then
        trouble='it was made with another Python'
    elif [ -n "${PYTHON:-}" ] && [ "$(identity "$PYTHON" | sed -n 2p)" != "$venv_id" ]; then
        trouble="PYTHON=$PYTHON is another one"
    fi
}

# Whether nothing is to be done: every command asks this first, so it must be quick.
is_ready() {
    examine_venv
    [ -z "$trouble" ] || return 1
    ls src/osslcmp/_native*.so >/dev/null 2>&1 || stamp_extension=
    packages=$(packages_key)
    extension=$(extension_key)
    [ "$stamp_packages" = "$packages" ] && [ "$stamp_extension" = "$extension" ]
}

# Two set-ups of the same folder at once would spoil each other.
lock() {
    for place in . "$venv" build; do
        [ ! -e "$place" ] || [ -w "$place" ] || die "$root/$place belongs to another user: it cannot be changed"
    done
    mkdir -p build
    command -v flock >/dev/null 2>&1 || return 0
    exec 9>build/setup.lock
    flock -n 9 && return
    say 'waiting for another set-up of this folder'
    flock 9
}

unlock() { exec 9>&-; }

need_pip() {
    [ -n "$trouble" ] || "$python" -I -c 'import pip' 2>/dev/null || trouble='it has no pip'
}

make_venv() {
    rm -rf "$venv"
    mkdir "$venv"
    venv_id=
    write_stamp making -
    step "making .venv with $("$base_python" -V)" "$base_python" -I -m venv "$venv" || failed
    venv_id=$(identity "$python" | sed -n 2p)
}

pip() { "$python" -I -m pip --disable-pip-version-check --no-input "$@"; }

# With setuptools beside them, so that a rebuild needs no network; 70.1 is the first that makes wheels by itself.
install_packages() {
    write_stamp making -
    extras=dev
    # There is no binary package of psycopg for a free-threaded CPython.
    ! "$python" -I -c 'import sys, sysconfig; sys.exit(not sysconfig.get_config_var("Py_GIL_DISABLED"))' || extras=test,lint
    step 'building osslcmp and installing its packages' pip install -e ".[$extras]" 'setuptools>=70.1' || {
        write_stamp failed -
        failed
    }
}

# The packages are right, only what is compiled has changed: no need of the network.
rebuild_extension() {
    write_stamp "$packages" -
    step 'building osslcmp again' pip install --no-deps --no-build-isolation -e . || failed
}

setup() {
    ! is_ready || return 0
    case $root in *\$*) die "setuptools cannot build in a folder with a \$ in its path: $root" ;; esac
    need_pip
    if [ -n "$trouble" ]; then find_python; else base_python=$python; fi
    meet_needs
    lock
    if is_ready; then # another one has done it meanwhile
        unlock
        return 0
    fi
    need_pip
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    export OSSLCMP_WERROR=1
    # Taken before the build: what is changed while it runs counts as not built.
    packages=$(packages_key)
    extension=$(extension_key)
    if [ -n "$trouble" ]; then
        [ "$trouble" = absent ] || say "making .venv anew: $trouble"
        make_venv
        install_packages
    elif [ "$stamp_packages" = "$packages" ]; then
        rebuild_extension
    else
        install_packages
    fi
    write_stamp "$packages" "$extension"
    trap - HUP INT TERM
    unlock
}
