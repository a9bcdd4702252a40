package afpacket

import (
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// minBlock holds a super-frame of 64 KiB from segmentation offload whole,
	// with its headers. Larger ones (IPv6 jumbograms of "BIG TCP") are cut to
	// the block; their OrigLen tells.
	minBlock = 128 << 10
	// maxBlock keeps a block within a second-level cache, and holds more than
	// the longest packet that is stored (packet.MaxLen).
	maxBlock = 512 << 10
	// MinRing is the smallest ring in bytes: one block to read while another
	// fills.
	MinRing = 2 * minBlock
)

// A ring is the memory shared with the kernel: blocks that belong by turns to
// the kernel, which fills them, and to us.
type ring struct {
	mem   []byte
	block int // bytes in a block
	next  int // offset in mem of the block to be read next
}

// geometry divides a ring of about the given size: eight blocks or more, if
// they are not too small then, and always two or more.
func geometry(ringBytes int) (block, blocks int) {
	ringBytes = max(ringBytes, MinRing)
	block = 1 << (bits.Len(uint(ringBytes/8)) - 1)
	block = min(max(block, minBlock), maxBlock)
	return block, ringBytes / block
}

// newRing gives the socket a ring of at most ringBytes (at least MinRing) whose
// blocks are handed over when full or retireMillis after their first packet,
// or up to twice that, since the kernel looks at it that often.
func newRing(fd, ringBytes int, retireMillis uint32) (*ring, error) {
	block, blocks := geometry(ringBytes)
	for {
		err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
			Block_size:     uint32(block),
			Block_nr:       uint32(blocks),
			Frame_size:     uint32(block),
			Frame_nr:       uint32(blocks),
			Retire_blk_tov: retireMillis,
		})
		if err == nil {
			break
		}
		if !errors.Is(err, unix.ENOMEM) || blocks <= 2 {
			return nil, fmt.Errorf("make a ring of %d blocks of %d KiB: %w", blocks, block>>10, err)
		}
		blocks = max(blocks/2, 2) // better a short ring than none
	}
	// The pages are the kernel's own and are never written to swap, so they
	// need no locking; mapping them makes all of them present.
	mem, err := unix.Mmap(fd, 0, block*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a ring of %d KiB: %w", block*blocks>>10, err)
	}
	return &ring{mem: mem, block: block}, nil
}

// status is where the owner of the next block is written.
func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.next+atBlockStatus]))
}

// ready reports whether the kernel has handed over the next block.
func (r *ring) ready() bool {
	return atomic.LoadUint32(r.status())&unix.TP_STATUS_USER != 0
}

// current is the next block, whoever owns it.
func (r *ring) current() []byte {
	return r.mem[r.next : r.next+r.block : r.next+r.block]
}

// release gives the current block back to the kernel and goes on to the next.
// It first empties the block, so that it does not look filled while the kernel
// has not come to it yet; see Source.finish.
func (r *ring) release() {
	*(*uint32)(unsafe.Pointer(&r.mem[r.next+atBlockPackets])) = 0
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	if r.next += r.block; r.next == len(r.mem) {
		r.next = 0
	}
}

// close unmaps the ring. The kernel keeps it until the socket is closed.
func (r *ring) close() error { return unix.Munmap(r.mem) }
