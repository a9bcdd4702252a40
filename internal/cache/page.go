package cache

import "github.com/packetcache/packetcache/internal/mem"

// pageSize is what memory is handed out in. Small pages waste little at the
// end of a compressed segment.
const (
	pageBits = 12
	pageSize = 1 << pageBits
)

// noPage ends a chain.
const noPage = ^uint32(0)

// A pagePool hands out pages and takes whole chains of them back.
type pagePool struct {
	memory []byte
	next   []uint32 // per page, the one behind it in its chain
	free   uint32   // chain of pages given back
	nfree  int
	// touched pages have been handed out at least once; those behind them
	// have no physical memory yet.
	touched int
	// limit is where pages end that may be handed out: the end of the memory,
	// except while it is about to shrink.
	limit int
}

// resize gives the pool so many pages. Fewer are right only after restrict, when
// none is in use behind the new end.
func (p *pagePool) resize(memory, links []byte, n int) {
	p.memory = memory[: n*pageSize : n*pageSize]
	p.next, _ = mem.Carve[uint32](links, n)
	p.limit = n
}

// available is how many pages can be taken.
func (p *pagePool) available() int { return p.nfree + p.limit - p.touched }

// restrict ends the pages at limit for those that are handed out and taken
// back from now on.
func (p *pagePool) restrict(limit int) {
	free := p.free
	p.limit, p.touched = limit, min(p.touched, limit)
	p.free, p.nfree = noPage, 0
	for free != noPage {
		page := free
		free = p.next[page]
		p.giveOne(page)
	}
}

// giveOne takes back a page, unless it lies behind the limit.
func (p *pagePool) giveOne(page uint32) {
	if int(page) < p.limit {
		p.next[page] = p.free
		p.free = page
		p.nfree++
	}
}

// behind counts the pages of a chain that lie behind the limit.
func (p *pagePool) behind(page uint32) (n int) {
	for ; page != noPage; page = p.next[page] {
		if int(page) >= p.limit {
			n++
		}
	}
	return n
}

// moveChain moves the pages of a chain that lie behind the limit to free ones,
// of which there are enough, and returns both ends of the chain.
func (p *pagePool) moveChain(first uint32) (newFirst, newLast uint32) {
	newFirst, newLast = noPage, noPage
	for page := first; page != noPage; {
		next := p.next[page]
		if int(page) >= p.limit {
			to := p.take()
			copy(p.bytes(to), p.bytes(page))
			page = to
		}
		if newFirst == noPage {
			newFirst = page
		} else {
			p.next[newLast] = page
		}
		newLast, page = page, next
	}
	return newFirst, newLast
}

// take hands out a page; the caller has seen that one is available.
func (p *pagePool) take() uint32 {
	page := p.free
	if page != noPage {
		p.free = p.next[page]
		p.nfree--
	} else {
		page = uint32(p.touched)
		p.touched++
	}
	p.next[page] = noPage
	return page
}

// give takes back the n pages of the chain from first to last.
func (p *pagePool) give(first, last uint32, n int) {
	if n == 0 {
		return
	}
	if p.limit < len(p.next) { // about to shrink
		for page, left := first, n; left > 0; left-- {
			next := p.next[page]
			p.giveOne(page)
			page = next
		}
		return
	}
	p.next[last] = p.free
	p.free = first
	p.nfree += n
}

func (p *pagePool) bytes(page uint32) []byte {
	at := int(page) << pageBits
	return p.memory[at : at+pageSize : at+pageSize]
}

// A chain is pages that are linked.
type chain struct {
	first, last uint32
	n           int
}

// takeFree takes all pages that were given back.
func (p *pagePool) takeFree() chain {
	all := chain{first: p.free, n: p.nfree}
	p.free, p.nfree = noPage, 0
	return all
}

// cut takes up to n pages off the front of a chain.
func (p *pagePool) cut(from *chain, n int) chain {
	part := chain{first: from.first, last: from.first, n: min(n, from.n)}
	for range part.n - 1 {
		part.last = p.next[part.last]
	}
	from.first = p.next[part.last]
	from.n -= part.n
	return part
}

// wipe clears n pages of a chain.
func (p *pagePool) wipe(page uint32, n int) {
	for ; n > 0; n-- {
		clear(p.bytes(page))
		page = p.next[page]
	}
}

// A place is a byte in a chain of pages.
type place struct {
	page uint32
	at   int
}

// forward moves a place by n bytes, which the chain must have.
func (p *pagePool) forward(from place, n int) place {
	from.at += n
	for from.at >= pageSize && p.next[from.page] != noPage {
		from.page = p.next[from.page]
		from.at -= pageSize
	}
	return from
}

// read copies what stands at a place to dst, up to the end of the chain.
func (p *pagePool) read(from place, dst []byte) (n int) {
	for {
		n += copy(dst[n:], p.bytes(from.page)[from.at:])
		if n == len(dst) || p.next[from.page] == noPage {
			return n
		}
		from = place{page: p.next[from.page]}
	}
}
