#!/bin/sh
# verify-signature.sh FILE...: makes sure that programs and installers for Windows are
# signed, and as they were when they were signed. SIGN_CA, or SIGN_CERT, is a file of
# the certificates that are trusted (PEM), else those of this system.
set -eu
ca=${SIGN_CA:-${SIGN_CERT:-/etc/ssl/certs/ca-certificates.crt}}
for file in "$@"; do
	osslsigncode verify -CAfile "$ca" ${TIMESTAMP_URL:+-TSA-CAfile "${TSA_CA:-/etc/ssl/certs/ca-certificates.crt}"} -in "$file"
done
