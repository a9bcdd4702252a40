//go:build !race

// What is released is the same whether the tests look for races or not.

package endtoend

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// root is the directory of the project.
const root = "../.."

// nfpm builds the program that makes packages, once.
var nfpm = sync.OnceValues(func() (string, error) {
	dir, err := builtPrograms()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "nfpm")
	cmd := exec.Command("go", "build", "-C", root, "-modfile=.ci/nfpm/go.mod", "-o", path, "tool")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("nfpm: %w\n%s", err, out)
	}
	return path, nil
})

// forRelease builds the programs of a version as "make build" leaves them, for one
// architecture of each system, once, and returns their directory.
func forRelease(t *testing.T, version string) string {
	t.Helper()
	dir, err := builtPrograms()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "release-"+version)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	forLinux := filepath.Join(dir, "linux-"+runtime.GOARCH)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w -X github.com/packetcache/packetcache/internal/version.version="+version,
		"-o", forLinux+"/", "../../cmd/packetcache", "../../cmd/pcctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	must(t, "go", "run", "../../installer/licences", "-o", forLinux+"/THIRD-PARTY.txt", forLinux+"/packetcache", forLinux+"/pcctl")
	if err := buildWindows(filepath.Join(dir, "windows-amd64"), version); err != nil {
		t.Fatal(err)
	}
	return dir
}

// dist makes all that is released of a version and returns its directory.
func dist(t *testing.T, version string, environment ...string) string {
	t.Helper()
	for _, name := range []string{"wixl", "msibuild", "zip", "gzip", "tar"} {
		need(t, name)
	}
	tool, err := nfpm()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "dist")
	cmd := exec.Command("scripts/dist.sh", version, out)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "BIN="+forRelease(t, version), "NFPM="+tool, "SOURCE_DATE_EPOCH=1800000000")
	cmd.Env = append(cmd.Env, environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dist.sh: %v\n%s", err, out)
	}
	return out
}

// signedVersion is the version whose release is signed.
const signedVersion = "1.1.0"

// released is what dist makes of a version, once.
func released(t *testing.T, version string) string {
	t.Helper()
	dir, err := builtPrograms()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "dist-"+version)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	var environment []string
	if version == signedVersion {
		need(t, "osslsigncode")
		cert, key, err := signer()
		if err != nil {
			t.Fatal(err)
		}
		authority := filepath.Join(filepath.Dir(cert), "tsa")
		environment = []string{"SIGN_CERT=" + cert, "SIGN_KEY=" + key, "TIMESTAMP_URL=" + timestamps(t, authority), "TSA_CA=" + filepath.Join(authority, "cert.pem")}
	}
	if err := os.CopyFS(dir, os.DirFS(dist(t, version, environment...))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A release is complete, and of its date.
func TestDist(t *testing.T) {
	const version = "1.0.0"
	arch := runtime.GOARCH
	rpm := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	first := released(t, version)
	entries, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{
		"RELEASE_NOTES.md", "SHA256SUMS", "packetcache-1.0.0-1." + rpm + ".rpm", "packetcache-1.0.0-linux-" + arch + ".tar.gz",
		"packetcache-1.0.0-policy.zip", "packetcache-1.0.0-windows-amd64.zip", "packetcache-1.0.0-x64.msi", "packetcache_1.0.0-1_" + arch + ".deb",
	}
	slices.Sort(want)
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("the release has\n%q, want\n%q", names, want)
	}
	if notes, err := os.ReadFile(filepath.Join(first, "RELEASE_NOTES.md")); err != nil || !bytes.Contains(notes, []byte("### Added")) {
		t.Errorf("the release notes are %q, %v", notes, err)
	}

	of := time.Unix(1800000000, 0)
	windows, modified := unzip(t, filepath.Join(first, "packetcache-1.0.0-windows-amd64.zip"))
	for _, name := range []string{"packetcache.exe", "pcctl.exe", "PacketCacheEvents.dll", "ReadPacketCache.ps1", "PacketCache.xml", "LICENSE", "THIRD-PARTY.txt"} {
		if len(windows["packetcache-1.0.0-windows-amd64/"+name]) == 0 {
			t.Errorf("the archive for Windows has no %s", name)
		}
	}
	if !modified.Equal(of) {
		t.Errorf("its files are of %v, want %v", modified, of)
	}
	policy, _ := unzip(t, filepath.Join(first, "packetcache-1.0.0-policy.zip"))
	for _, name := range []string{"PacketCache.admx", "en-US/PacketCache.adml", "de-DE/PacketCache.adml"} {
		if len(policy["packetcache-1.0.0-policy/"+name]) == 0 {
			t.Errorf("the templates lack %s", name)
		}
	}
	linux := untar(t, filepath.Join(first, "packetcache-1.0.0-linux-"+arch+".tar.gz"))
	for _, name := range []string{"packetcache", "pcctl", "packetcache.service", "LICENSE", "THIRD-PARTY.txt"} {
		header := linux["packetcache-1.0.0-linux-"+arch+"/"+name]
		if header == nil || header.Uid != 0 || !header.ModTime.Equal(of) || (header.Mode&0o111 != 0) != !strings.Contains(name, ".") && name != "LICENSE" {
			t.Errorf("in the archive for Linux %s is %+v", name, header)
		}
	}
}

// "make dist" in a clone and in an archive of the source, in different directories, and
// so with different builds of everything, makes the same files, to the byte.
func TestDistIsReproducible(t *testing.T) {
	for _, name := range []string{"git", "make", "wixl", "zip"} {
		need(t, name)
	}
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", root, "-c", "user.name=test", "-c", "user.email=test"}, args...)...)
		// An index of its own: somebody else may work with that of the clone.
		cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+filepath.Join(dir, "index"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	if _, _, code := run(t, "git", "-C", root, "rev-parse", "HEAD"); code != 0 {
		t.Skip("this is no clone of the source")
	}
	// What is tracked, as it stands there, changed or not.
	git("read-tree", "HEAD")
	git("add", "--update", ":/")
	commit := git("commit-tree", "-m", "as it stands", "-p", "HEAD", git("write-tree"))
	clone, archive := filepath.Join(dir, "clone"), filepath.Join(dir, "of", "an", "archive")
	git("clone", "--quiet", "--shared", "--no-checkout", ".", clone)
	must(t, "git", "-C", clone, "checkout", "--quiet", commit)
	if err := os.MkdirAll(archive, 0o755); err != nil {
		t.Fatal(err)
	}
	git("archive", "--output", archive+".tar", commit)
	must(t, "tar", "-C", archive, "-xf", archive+".tar")
	const version = "1.2.3"
	for _, source := range []string{clone, archive} {
		cmd := exec.Command("make", "-C", source, "dist", "VERSION="+version, "PLATFORMS=linux/"+runtime.GOARCH+" windows/amd64")
		// "make test" has exported the date of the commit that it is at.
		cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SOURCE_DATE_EPOCH=") })
		if source == archive { // which does not tell its date
			cmd.Env = append(cmd.Env, "SOURCE_DATE_EPOCH="+git("log", "-1", "--format=%ct", commit))
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make dist: %v\n%s", err, out)
		}
	}
	entries, err := os.ReadDir(filepath.Join(clone, "dist"))
	if err != nil || len(entries) != 8 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		a, errA := os.ReadFile(filepath.Join(clone, "dist", e.Name()))
		b, errB := os.ReadFile(filepath.Join(archive, "dist", e.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s of a clone and of an archive differ (%v, %v)", e.Name(), errA, errB)
		}
	}
}

func unzip(t *testing.T, path string) (files map[string][]byte, modified time.Time) {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files = map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
		modified = f.Modified
	}
	return files, modified
}

func untar(t *testing.T, path string) map[string]*tar.Header {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]*tar.Header{}
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return headers
		}
		if err != nil {
			t.Fatal(err)
		}
		headers[header.Name] = header
	}
}

// What is signed is verified, with its timestamp, and what was changed since is not.
func TestDistSigned(t *testing.T) {
	out, name := released(t, signedVersion), "packetcache-"+signedVersion+"-windows-amd64"
	cert, _, err := signer()
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(filepath.Dir(cert), "tsa", "cert.pem")
	verify := func(path, cert string) (string, error) {
		cmd := exec.Command("scripts/verify-signature.sh", path)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "SIGN_CERT="+cert, "TIMESTAMP_URL=yes", "TSA_CA="+authority)
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	signed, _ := unzip(t, filepath.Join(out, name+".zip"))
	for file := range signed {
		if extension := filepath.Ext(file); extension != ".exe" && extension != ".dll" {
			delete(signed, file)
		}
	}
	const installer = "packetcache-" + signedVersion + "-x64.msi"
	if signed[installer], err = os.ReadFile(filepath.Join(out, installer)); err != nil {
		t.Fatal(err)
	}
	if len(signed) != 4 {
		t.Errorf("%d files are signed", len(signed))
	}
	other, _, err := newSigner(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range signed {
		path := filepath.Join(t.TempDir(), filepath.Base(file))
		write := func() {
			t.Helper()
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write()
		if said, err := verify(path, cert); err != nil {
			t.Errorf("%s: %v\n%s", file, err, said)
		} else if !strings.Contains(said, "Timestamp Server Signature verification: ok") {
			t.Errorf("%s: there is no timestamp\n%s", file, said)
		}
		if said, err := verify(path, other); err == nil {
			t.Errorf("%s is verified as somebody else's\n%s", file, said)
		}
		text[len(text)/2] ^= 1
		write()
		if said, err := verify(path, cert); err == nil {
			t.Errorf("%s with a flipped bit is verified\n%s", file, said)
		}
	}
}

// signer is a certificate to sign programs with, and its key, made once.
func signer() (cert, key string, err error) {
	dir, err := builtPrograms()
	if err != nil {
		return "", "", err
	}
	if cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"); exists(cert) && exists(key) {
		return cert, key, nil
	}
	return newSigner(dir, nil)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// newSigner makes one in a directory, which may be changed before it is signed.
func newSigner(dir string, change func(*x509.Certificate)) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: fmt.Sprintf("PacketCache test %d", time.Now().UnixNano())},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return "", "", err
		}
	}
	return cert, key, nil
}
