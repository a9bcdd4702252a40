package cache

// What Clear does at most before it lets others at the cache.
const (
	wipeStep   = 256  // pages
	forgetStep = 4096 // sessions or summaries
)

// Clear wipes all packets, sessions and summaries that there are when it is called,
// with what was copied of them: the memory of pages, sessions and compression is
// overwritten when it returns. (What the compression library holds is left to the
// garbage collector.) What comes meanwhile is stored as ever. Readers at work find
// nothing more, and wipe their own memory with their next call; a Restorer is at
// its end. What was cleared counts as evicted, and as lost for the horizons. It
// waits for a Resize that is under way.
func (c *Cache) Clear() {
	c.resizing.Lock() // no page moves, nothing is restored
	defer c.resizing.Unlock()
	if z := c.compressor; z != nil {
		z.mu.Lock() // no page is given back unwiped
		defer z.mu.Unlock()
		defer z.wipe()
	}
	defer c.decompressor.wipe()
	var dirty chain
	if !c.locked(func() bool {
		c.cleared.Add(1)
		if c.restorer != nil {
			c.restorer.end()
		}
		for class := range c.logs {
			c.logs[class].settle()
			c.logs[class].seal()
		}
		c.waiting.next, c.waiting.passed = noSegment, c.logs[probation].pages // nothing moves any more
		c.wiped = c.segments.seq
		dirty = c.pages.takeFree()
		return true
	}) {
		return
	}
	for c.locked(c.dropWiped) {
	}
	for dirty.n > 0 {
		part := c.pages.cut(&dirty, wipeStep)
		c.pages.wipe(part.first, part.n)
		c.locked(func() bool { c.pages.give(part.first, part.last, part.n); return false })
	}
	at := 0
	for c.locked(func() (more bool) { at, more = c.table.Forget(at, forgetStep); return more }) {
	}
	c.locked(func() bool {
		c.wiped = 0
		c.decoder.Forget()
		c.pipeline = pipeline{}
		return false
	})
}

// dropWiped drops some segments that are to be wiped, and reports whether there are
// more.
func (c *Cache) dropWiped() (more bool) {
	left := wipeStep
	for class := range c.logs {
		for l := &c.logs[class]; l.oldest != noSegment; {
			seg := &c.segments.slots[l.oldest]
			if seg.seq > c.wiped {
				break
			}
			if left <= 0 {
				return true
			}
			left -= int(seg.pages)
			c.drop(class)
		}
	}
	return false
}

// wipe clears what is left of segments that were at work.
func (z *compressor) wipe() {
	clear(z.raw)
	clear(z.packed[:cap(z.packed)])
	clear(z.shares)
	clear(z.bloom[:])
	if encoder, err := newEncoder(); err == nil {
		z.encoder = encoder
	}
}

// wipe clears the unpacked segments of readers.
func (d *decompressor) wipe() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.held {
		h := &d.held[i]
		clear(h.raw[:cap(h.raw)])
		h.seq, h.raw = 0, h.raw[:0]
	}
	clear(d.packed)
	if decoder, err := newDecoder(); err == nil {
		d.decoder.Close()
		d.decoder = decoder
	}
}
