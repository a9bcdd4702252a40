package seal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"sync"
	"testing"

	"filippo.io/age"
)

// fixed is a file that holds nothing, and its key: with them plaintext can be put
// into a file, and read, without the work of wrapping a key each time.
var fixed = sync.OnceValue(func() (f struct {
	header []byte
	key    []byte
}) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if _, err := age.Encrypt(&file, nameplate{id.Recipient().String()}, id.Recipient()); err != nil {
		panic(err)
	}
	f.header = file.Bytes()[:file.Len()-saltSize]
	if f.key, err = age.DecryptHeader(f.header, id); err != nil {
		panic(err)
	}
	return f
})

// fixedKey opens what sealPlain makes.
func fixedKey() age.Identity { return age.NewInjectedFileKeyIdentity(bytes.Clone(fixed().key)) }

// sealPlain puts plaintext into a file, as the age specification says.
func sealPlain(plain []byte) []byte {
	file := append(bytes.Clone(fixed().header), make([]byte, saltSize)...)
	p, err := newPayload(bytes.NewReader(file), fixed().key, int64(len(fixed().header)))
	if err != nil {
		panic(err)
	}
	for index := uint64(0); ; index++ {
		n := min(len(plain), chunkSize)
		var nonce [12]byte
		binary.BigEndian.PutUint64(nonce[3:], index)
		if n == len(plain) {
			nonce[11] = 1
		}
		file = p.aead.Seal(file, nonce[:], plain[:n], nil)
		if plain = plain[n:]; len(plain) == 0 {
			return file
		}
	}
}

// plaintext is that of a sample's file.
func plaintext(t testing.TB, s *sample) []byte {
	t.Helper()
	k := newKeys(t)
	r, err := age.Decrypt(bytes.NewReader(s.seal(t, k)), k.machine)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// frames puts plaintext together of a head as JSON and what follows it.
func frames(head string, rest ...[]byte) []byte {
	b := append([]byte(magic+testMark), frame(frameHead, []byte(head))...)
	for _, f := range rest {
		b = append(b, f...)
	}
	return b
}

func frame(kind byte, content []byte) []byte {
	b := binary.LittleEndian.AppendUint32(append([]byte(testMark), kind), uint32(len(content)))
	return append(b, content...)
}

const testMark = "8 random"

func endFrame(e End) []byte {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return frame(frameEnd, raw)
}
