package filter

import "github.com/packetcache/packetcache/internal/packet"

// Offsets in the 802.11 header (IEEE 802.11-2020, section 9.2.3).
const (
	wlanAddr1 = 4
	wlanAddr2 = 10
	wlanAddr3 = 16
	wlanAddr4 = 24
)

// Bits of the first byte of an 802.11 header: a frame is data if the upper
// bit of the type is set and the lower clear, management if both are clear.
const (
	fcNotManagement = 0x08
	fcNotData       = 0x04
)

func (g *generator) frameBit(off, mask uint32) *pred { return g.bitSet(baseLink, off, mask) }

// wlanData tests for a data frame.
func (g *generator) wlanData() *pred {
	upper := g.frameBit(0, fcNotManagement)
	return and(not(g.frameBit(0, fcNotData)), upper)
}

// wlanFrame tests bits of the frame control field.
func (g *generator) wlanFrame(off, v, mask uint32) *pred {
	if !isWLAN(g.link) || g.link == packet.LinkTypePPI {
		return g.failLink("'type', 'subtype' and 'dir' apply only to 802.11")
	}
	return g.bitsAre(baseLink, off, v, mask)
}

// wlanHost tests the addresses of an 802.11 frame. Which of its up to four
// addresses is source or destination depends on the kind of frame and on
// whether it comes from or goes to the distribution system.
func (g *generator) wlanHost(addr []byte, dir direction) *pred {
	is := func(off uint32) *pred { return g.bytesAre(baseLink, off, addr) }
	switch dir {
	case dirAddr1:
		return is(wlanAddr1)
	case dirAddr2:
		return and(g.wlanHasAddr2(), is(wlanAddr2))
	case dirAddr3:
		control := g.bitsAre(baseLink, 0, fcTypeControl, fcTypeMask)
		return and(not(control), is(wlanAddr3))
	case dirAddr4:
		both := g.bitsAre(baseLink, 1, fcToDS|fcFromDS, fcDirMask)
		return and(both, is(wlanAddr4))
	case dirRA:
		return and(g.frameBit(0, fcNotManagement), is(wlanAddr1))
	case dirTA:
		has := g.wlanHasAddr2()
		return and(and(g.frameBit(0, fcNotManagement), has), is(wlanAddr2))
	}
	return g.bothWays(dir,
		func() *pred { return g.wlanSrc(is) },
		func() *pred { return g.wlanDst(is) })
}

// wlanHasAddr2 excludes the control frames that are too short for it.
func (g *generator) wlanHasAddr2() *pred {
	control := g.bitsAre(baseLink, 0, fcTypeControl, fcTypeMask)
	cts := g.bitsAre(baseLink, 0, fcSubtypeCTS, fcSubtypeMask)
	ack := g.bitsAre(baseLink, 0, fcSubtypeACK, fcSubtypeMask)
	return or(not(control), and(not(cts), not(ack)))
}

// wlanSrc applies a test at the place where the source address is.
func (g *generator) wlanSrc(is func(off uint32) *pred) *pred {
	relayed := and(g.frameBit(1, fcToDS), is(wlanAddr4))
	fromAP := and(not(g.frameBit(1, fcToDS)), is(wlanAddr3))
	fromDS := and(g.frameBit(1, fcFromDS), or(fromAP, relayed))
	direct := and(not(g.frameBit(1, fcFromDS)), is(wlanAddr2))
	return g.wlanManagementOrData(or(direct, fromDS), is(wlanAddr2))
}

// wlanDst applies a test at the place where the destination address is.
func (g *generator) wlanDst(is func(off uint32) *pred) *pred {
	toDS := and(g.frameBit(1, fcToDS), is(wlanAddr3))
	direct := and(not(g.frameBit(1, fcToDS)), is(wlanAddr1))
	return g.wlanManagementOrData(or(direct, toDS), is(wlanAddr1))
}

// wlanManagementOrData chooses a test by the kind of frame. Control frames
// have neither source nor destination.
func (g *generator) wlanManagementOrData(data, management *pred) *pred {
	data = and(g.frameBit(0, fcNotManagement), data)
	management = and(not(g.frameBit(0, fcNotManagement)), management)
	return and(not(g.frameBit(0, fcNotData)), or(management, data))
}
