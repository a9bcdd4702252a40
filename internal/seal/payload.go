package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// The payload of an age file is a salt and chunks of 64 KiB, each of which
// authenticates by itself (age-encryption.org/v1, "Payload").
//
// Files are written by the age library. They are read here, because the library
// ends at the first chunk that is damaged, gives nothing at random of a file that
// was cut off, and leaves each chunk it reads in memory.
const (
	chunkSize   = 64 << 10
	sealedChunk = chunkSize + chacha20poly1305.Overhead
	saltSize    = 16
	keyLabel    = "payload"
)

// A payload opens the chunks of one file.
type payload struct {
	aead   cipher.AEAD
	src    io.ReaderAt
	start  int64  // of the first chunk in the file
	sealed []byte // a chunk as it stands in the file
}

// newPayload opens what follows the header, from the offset at of the file on.
func newPayload(src io.ReaderAt, fileKey []byte, at int64) (*payload, error) {
	var salt [saltSize]byte
	if n, err := src.ReadAt(salt[:], at); n < len(salt) {
		return nil, cutOr(err)
	}
	key, err := hkdf.Key(sha256.New, fileKey, salt[:], keyLabel, chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the payload: %w", err)
	}
	defer clear(key)
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, fmt.Errorf("the key of the payload: %w", err)
	}
	return &payload{aead: aead, src: src, start: at + saltSize, sealed: make([]byte, sealedChunk)}, nil
}

// cutOr is what an error of reading means.
func cutOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// chunk returns the plaintext of a chunk, in the memory of dst, and whether it is
// the last one. Behind the last there is nothing: errCut. What is shorter than
// a chunk is and was not written like that is errEnd; other errors concern this
// chunk only.
func (p *payload) chunk(dst []byte, index int64) (plain []byte, last bool, err error) {
	n, err := p.src.ReadAt(p.sealed, p.place(index))
	switch {
	case n == len(p.sealed):
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, false, fmt.Errorf("it cannot be read: %w", err)
	case n == 0:
		return nil, false, errCut
	default:
		last = true
	}
	plain, err = p.open(dst, p.sealed[:n], index, last)
	switch {
	case err == nil:
	case last:
		return nil, false, errEnd
	default:
		last = true // and full
		if plain, err = p.open(dst, p.sealed[:n], index, last); err != nil {
			return nil, false, errTampered
		}
	}
	if len(plain) == 0 && index > 0 {
		return nil, false, errEnd // age writes no empty chunk but the first
	}
	return plain, last, nil
}

func (p *payload) open(dst, sealed []byte, index int64, last bool) ([]byte, error) {
	// 11 bytes of counter, big-endian, and one that is 1 in the last chunk.
	var nonce [chacha20poly1305.NonceSize]byte
	binary.BigEndian.PutUint64(nonce[3:11], uint64(index))
	if last {
		nonce[11] = 1
	}
	return p.aead.Open(dst[:0], nonce[:], sealed, nil)
}

// place is where in the file a chunk stands.
func (p *payload) place(index int64) int64 { return p.start + index*sealedChunk }

// follows reports whether there is something behind the last chunk.
func (p *payload) follows(last int64, plain int) bool {
	var b [1]byte
	n, _ := p.src.ReadAt(b[:], p.place(last)+int64(plain)+chacha20poly1305.Overhead)
	return n > 0
}
