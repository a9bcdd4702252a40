package seal

import "io"

// recent is how many chunks are kept: a merge of segments of all classes comes
// back to each of them several times.
const recent = 32

// Chunks reads the plaintext of a file at random.
type chunks struct {
	*payload
	kept [recent]chunk
	uses int64
}

// A chunk is one that was opened.
type chunk struct {
	index int64
	used  int64 // the greatest was used last, 0 never
	plain []byte
}

// ReadAt implements io.ReaderAt.
func (c *chunks) ReadAt(b []byte, offset int64) (n int, err error) {
	for n < len(b) {
		at := offset + int64(n)
		plain, err := c.get(at / chunkSize)
		if err != nil {
			return n, err
		}
		rest := at % chunkSize
		if rest >= int64(len(plain)) {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(b[n:], plain[rest:])
	}
	return n, nil
}

// get returns the plaintext of a chunk.
func (c *chunks) get(index int64) ([]byte, error) {
	c.uses++
	oldest := &c.kept[0]
	for i := range c.kept {
		k := &c.kept[i]
		if k.used > 0 && k.index == index {
			k.used = c.uses
			return k.plain, nil
		}
		if k.used < oldest.used {
			oldest = k
		}
	}
	if oldest.plain == nil {
		oldest.plain = make([]byte, 0, chunkSize)
	}
	oldest.used = 0
	plain, _, err := c.chunk(oldest.plain, index)
	if err != nil {
		return nil, err
	}
	oldest.index, oldest.used, oldest.plain = index, c.uses, plain
	return plain, nil
}

func (c *chunks) wipe() {
	for i := range c.kept {
		clear(c.kept[i].plain[:cap(c.kept[i].plain)])
		c.kept[i].used = 0
	}
}
