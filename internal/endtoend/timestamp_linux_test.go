//go:build !race

package endtoend

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// timestamping is the usage of a key that makes timestamps and nothing else (RFC 3161,
// 2.3: critical).
func timestamping() (pkix.Extension, error) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}, err
}

// timestamps serves timestamps (RFC 3161), by openssl, until the test ends, and returns
// its address. Its certificate and key are made in a directory, as cert.pem and key.pem.
func timestamps(t *testing.T, dir string) (url string) {
	t.Helper()
	need(t, "openssl")
	usage, err := timestamping()
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = newSigner(dir, func(c *x509.Certificate) { c.ExtKeyUsage, c.ExtraExtensions = nil, []pkix.Extension{usage} })
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "openssl.cnf")
	text := fmt.Sprintf("[tsa]\ndefault_tsa = it\n[it]\nserial = %[1]s/serial\nsigner_cert = %[1]s/cert.pem\nsigner_key = %[1]s/key.pem\n"+
		"signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\n", dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		file := filepath.Join(dir, "query")
		if err == nil {
			err = os.WriteFile(file, query, 0o600)
		}
		var reply []byte
		if err == nil {
			reply, err = exec.Command("openssl", "ts", "-reply", "-config", config, "-queryfile", file).Output()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(reply)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
