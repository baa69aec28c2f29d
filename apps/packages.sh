# shellcheck shell=bash
# The one list of Debian packages that storemon is built, tested and shown with. To be sourced.

storemon_packages=(
  g++ cmake ninja-build ccache
  libcaf-dev libcli11-dev libboost1.81-dev libboost-json1.81-dev libhowardhinnant-date-dev tzdata
  libspdlog-dev zlib1g-dev libxxhash-dev libzstd-dev libsqlite3-dev libssl-dev
  catch2 libbenchmark-dev
  curl
)

# Installs those that are missing, and nothing when none is; as root, or through sudo.
ensure_packages() {
  local package missing=() as_root=()
  for package in "${storemon_packages[@]}"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "missing: ${missing[*]}; install them as root, or install sudo" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get -q update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -y --no-install-recommends install "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "installing ${missing[*]} failed" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
