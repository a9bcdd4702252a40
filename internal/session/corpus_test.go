package session

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// corpusFiles lists the capture files of a folder of the corpus, which stands
// where PACKETCACHE_CORPUS says or beside the checkout.
func corpusFiles(t *testing.T, folder string) []string {
	t.Helper()
	root := os.Getenv("PACKETCACHE_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	list, err := os.ReadFile(filepath.Join(root, folder, "MANIFEST.tsv"))
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("the corpus is needed in CI: %v", err)
	} else if err != nil {
		t.Skipf("no corpus (set PACKETCACHE_CORPUS): %v", err)
	}
	var files []string
	for line := range strings.Lines(string(list)) {
		if name, _, _ := strings.Cut(line, "\t"); name != "file" {
			files = append(files, filepath.Join(root, folder, name))
		}
	}
	return files
}

// forEachPacket calls visit for the packets of a file, up to where it stops
// making sense.
func forEachPacket(t *testing.T, path string, visit func(packet.LinkType, []byte)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := pcapio.NewReader(bufio.NewReader(file))
	if err != nil {
		return
	}
	var p packet.Packet
	for r.Next(&p) == nil {
		visit(r.Interfaces()[p.Interface].LinkType, p.Data)
	}
}
