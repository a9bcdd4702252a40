package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture"
)

// Links implements capture.Platform: it asks the kernel for all interfaces and
// their addresses, over rtnetlink(7).
func (Platform) Links() ([]capture.Link, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	links, err := links(conn)
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	return links, nil
}

func links(conn *netlink.Conn) ([]capture.Link, error) {
	os, err := system()
	if err != nil {
		return nil, err
	}
	answers, err := dump(conn, unix.RTM_GETLINK, linkRequest())
	if err != nil {
		return nil, fmt.Errorf("RTM_GETLINK: %w", err)
	}
	var raw []rawLink
	for _, m := range answers {
		if l, ok := parseLink(m.Data); ok && m.Header.Type == unix.RTM_NEWLINK {
			l.OS = os
			raw = append(raw, l)
		}
	}
	list := relate(raw)
	answers, err = dump(conn, unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, fmt.Errorf("RTM_GETADDR: %w", err)
	}
	for _, m := range answers {
		index, prefix, ok := parseAddr(m.Data)
		if !ok || m.Header.Type != unix.RTM_NEWADDR {
			continue
		}
		if at := slices.IndexFunc(list, func(l capture.Link) bool { return l.Index == index }); at >= 0 {
			list[at].Addrs = append(list[at].Addrs, prefix)
		}
	}
	return list, nil
}

// dump sends a request and returns all answers.
func dump(conn *netlink.Conn, what netlink.HeaderType, body []byte) ([]netlink.Message, error) {
	return conn.Execute(netlink.Message{
		Header: netlink.Header{Type: what, Flags: netlink.Request | netlink.Dump},
		Data:   body,
	})
}

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStats = 1 << 3

// linkRequest asks for all links without their statistics (IFLA_EXT_MASK).
func linkRequest() []byte {
	body := make([]byte, unix.SizeofIfInfomsg)
	body = binary.NativeEndian.AppendUint16(body, 8)
	body = binary.NativeEndian.AppendUint16(body, unix.IFLA_EXT_MASK)
	return binary.NativeEndian.AppendUint32(body, skipStats)
}

// A rawLink is a link with what the kernel says of its relations.
type rawLink struct {
	capture.Link
	kind       string // "bridge", "vlan"; empty for hardware
	below      int    // IFLA_LINK
	belowNS    bool   // below is in another network namespace
	masterHere int    // IFLA_MASTER
}

// parseLink reads an RTM_NEWLINK message: struct ifinfomsg and attributes. What
// it cannot read it leaves out, so that one strange link does not hide the rest.
func parseLink(b []byte) (l rawLink, ok bool) {
	if len(b) < unix.SizeofIfInfomsg {
		return l, false
	}
	l.Hardware = binary.NativeEndian.Uint16(b[2:])
	l.LinkType, _ = linkTypeOf(l.Hardware)
	l.Index = int(binary.NativeEndian.Uint32(b[4:]))
	flags := binary.NativeEndian.Uint32(b[8:])
	l.Up = flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING != 0
	ad, err := netlink.NewAttributeDecoder(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return l, false
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_IFNAME:
			l.Name = ad.String()
		case unix.IFLA_IFALIAS:
			l.Description = ad.String()
		case unix.IFLA_ADDRESS:
			// pcapng has room for addresses of these lengths only.
			if mac := ad.Bytes(); len(mac) == 6 || len(mac) == 8 {
				l.MAC = slices.Clone(mac)
			}
		case unix.IFLA_LINK:
			l.below = int(ad.Uint32())
		case unix.IFLA_LINK_NETNSID:
			l.belowNS = true
		case unix.IFLA_MASTER:
			l.masterHere = int(ad.Uint32())
		case unix.IFLA_LINKINFO:
			ad.Nested(func(info *netlink.AttributeDecoder) error {
				for info.Next() {
					if info.Type() == unix.IFLA_INFO_KIND {
						l.kind = info.String()
					}
				}
				return info.Err()
			})
		}
	}
	switch {
	case flags&unix.IFF_LOOPBACK != 0:
		l.Aside = "loopback"
	case l.kind == "ifb" || l.kind == "nlmon" || l.kind == "vsockmon":
		l.Aside = "shows copies of what passes elsewhere"
	}
	if l.Description == "" {
		l.Description = l.kind
	}
	return l, l.Name != "" && l.Index > 0
}

// relate works out which links show again what others below them pass.
func relate(raw []rawLink) []capture.Link {
	byIndex := make(map[int]int, len(raw))
	for i, l := range raw {
		byIndex[l.Index] = i
	}
	list := make([]capture.Link, len(raw))
	for i, l := range raw {
		list[i] = l.Link
	}
	for _, l := range raw {
		// Whatever has members is a bridge, bond, team, VRF or virtual switch.
		if m, ok := byIndex[l.masterHere]; ok && l.masterHere != 0 {
			list[m].Lower = append(list[m].Lower, l.Index)
		}
	}
	for i, l := range raw {
		switch l.kind {
		case "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap":
			if _, ok := byIndex[l.below]; ok && !l.belowNS && l.below != l.Index {
				list[i].Lower = append(list[i].Lower, l.below)
			}
		}
	}
	return list
}

// parseAddr reads an RTM_NEWADDR message: struct ifaddrmsg and attributes.
func parseAddr(b []byte) (index int, prefix netip.Prefix, ok bool) {
	if len(b) < unix.SizeofIfAddrmsg {
		return 0, prefix, false
	}
	index = int(binary.NativeEndian.Uint32(b[4:]))
	ad, err := netlink.NewAttributeDecoder(b[unix.SizeofIfAddrmsg:])
	if err != nil {
		return 0, prefix, false
	}
	var addr, local netip.Addr
	for ad.Next() {
		switch ad.Type() {
		case unix.IFA_ADDRESS: // the other end's, on a point-to-point link
			addr, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(ad.Bytes())
		}
	}
	if local.IsValid() {
		addr = local
	}
	prefix = netip.PrefixFrom(addr, int(b[1]))
	return index, prefix, prefix.IsValid()
}
