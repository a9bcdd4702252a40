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

// The payload of an age file is a nonce and chunks of 64 KiB, each of which
// authenticates by itself (age-encryption.org/v1, "Payload").
//
// Files are written by the age library. They are read here, because of a file
// that was cut off the library gives nothing at random (DecryptReaderAt begins
// with the last chunk), and because it leaves each chunk it reads in memory.
const (
	chunkSize   = 64 << 10
	sealedChunk = chunkSize + chacha20poly1305.Overhead
	saltSize    = 16
	keyLabel    = "payload"
)

// An opener opens the chunks of one file.
type opener struct{ aead cipher.AEAD }

func newOpener(fileKey, salt []byte) (opener, error) {
	key, err := hkdf.Key(sha256.New, fileKey, salt, keyLabel, chacha20poly1305.KeySize)
	if err != nil {
		return opener{}, fmt.Errorf("derive the key of the payload: %w", err)
	}
	defer clear(key)
	aead, err := chacha20poly1305.New(key)
	return opener{aead}, err
}

// open appends the plaintext of a chunk to dst. Index numbers the chunks from
// 0.
func (o opener) open(dst, sealed []byte, index int64, last bool) ([]byte, error) {
	// 11 bytes of counter, big-endian, and one that is 1 in the last chunk.
	var nonce [chacha20poly1305.NonceSize]byte
	binary.BigEndian.PutUint64(nonce[3:11], uint64(index))
	if last {
		nonce[11] = 1
	}
	plain, err := o.aead.Open(dst, nonce[:], sealed, nil)
	if err != nil {
		return nil, errTampered
	}
	return plain, nil
}

// A payload reads the plaintext of a file from its beginning.
type payload struct {
	opener
	src    io.Reader
	sealed []byte // a chunk as it stands in the file
	plain  []byte // what is in it
	unread []byte // what of that is still to be read
	index  int64  // of the next chunk
	start  int64  // the offset of the first chunk in the file
	last   bool   // there is none
	err    error
}

// newPayload reads what follows the header, from the offset at of the file on.
func newPayload(src io.Reader, fileKey []byte, at int64) (*payload, error) {
	var salt [saltSize]byte
	if _, err := io.ReadFull(src, salt[:]); err != nil {
		return nil, cutOr(err)
	}
	o, err := newOpener(fileKey, salt[:])
	if err != nil {
		return nil, err
	}
	return &payload{opener: o, src: src, start: at + saltSize, sealed: make([]byte, sealedChunk), plain: make([]byte, 0, chunkSize)}, nil
}

// cutOr is what an error of reading means.
func cutOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// Read gives out nothing that has not been authenticated. It ends with io.EOF
// where the file does, if it ends as it was written.
func (p *payload) Read(b []byte) (int, error) {
	for len(p.unread) == 0 {
		if p.err == nil {
			p.err = p.next()
		}
		if p.err != nil {
			return 0, p.err
		}
	}
	n := copy(b, p.unread)
	p.unread = p.unread[n:]
	return n, nil
}

// next opens the next chunk.
func (p *payload) next() error {
	if p.last {
		return p.end()
	}
	n, err := io.ReadFull(p.src, p.sealed)
	last := errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last { // with io.EOF as well: the last chunk is missing
		return cutOr(err)
	}
	plain, err := p.open(p.plain[:0], p.sealed[:n], p.index, last)
	switch {
	case err != nil && last:
		return errEnd
	case err != nil:
		last = true
		if plain, err = p.open(p.plain[:0], p.sealed[:n], p.index, last); err != nil {
			return err
		}
	}
	if len(plain) == 0 && p.index > 0 {
		return errTampered // age writes no empty chunk but the first
	}
	p.plain, p.unread, p.last = plain, plain, last
	p.index++
	return nil
}

// end looks whether the file ends with the last chunk.
func (p *payload) end() error {
	n, err := io.ReadFull(p.src, p.sealed[:1])
	switch {
	case n > 0:
		return errTrailing
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return err
}

// place is where in the file the chunk is that cannot be read, or, if there is
// none, that with a byte of the plaintext.
func (p *payload) place(offset int64) int64 {
	if p.err != nil {
		return p.start + p.index*sealedChunk
	}
	return p.start + offset/chunkSize*sealedChunk
}

// wipe overwrites what the payload has read.
func (p *payload) wipe() {
	clear(p.plain[:cap(p.plain)])
	p.unread = nil
}
