package afpacket

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// linkMessage makes the body of an RTM_NEWLINK message.
func linkMessage(t testing.TB, hardware uint16, index, flags uint32, attributes func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint16(b[2:], hardware)
	binary.NativeEndian.PutUint32(b[4:], index)
	binary.NativeEndian.PutUint32(b[8:], flags)
	ae := netlink.NewAttributeEncoder()
	attributes(ae)
	encoded, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(b, encoded)
}

// A VLAN device stands on its parent, a bond on its members, and a veth whose
// other end has the same index elsewhere on nothing.
func TestRelations(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_RUNNING
	kind := func(ae *netlink.AttributeEncoder, name string) {
		ae.Nested(unix.IFLA_LINKINFO, func(info *netlink.AttributeEncoder) error {
			info.String(unix.IFLA_INFO_KIND, name)
			return nil
		})
	}
	var raw []rawLink
	for _, m := range [][]byte{
		linkMessage(t, unix.ARPHRD_ETHER, 2, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "eth0")
			ae.Uint32(unix.IFLA_MASTER, 4)
			ae.Bytes(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1})
		}),
		linkMessage(t, unix.ARPHRD_ETHER, 3, unix.IFF_UP, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "veth0")
			ae.Uint32(unix.IFLA_LINK, 2)
			ae.Uint32(unix.IFLA_LINK_NETNSID, 0)
			kind(ae, "veth")
		}),
		linkMessage(t, unix.ARPHRD_ETHER, 4, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "bond0")
			kind(ae, "bond")
		}),
		linkMessage(t, unix.ARPHRD_ETHER, 5, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "bond0.7")
			ae.Uint32(unix.IFLA_LINK, 4)
			kind(ae, "vlan")
		}),
		linkMessage(t, unix.ARPHRD_SIT, 6, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "sit1")
			ae.Uint32(unix.IFLA_LINK, 2) // the interface that the tunnel goes out of
			ae.Bytes(unix.IFLA_ADDRESS, []byte{192, 0, 2, 1})
			kind(ae, "sit")
		}),
		linkMessage(t, unix.ARPHRD_ETHER, 7, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "ifb0")
			kind(ae, "ifb")
		}),
		linkMessage(t, unix.ARPHRD_ETHER, 8, up, func(ae *netlink.AttributeEncoder) {
			ae.String(unix.IFLA_IFNAME, "eth0.9")
			ae.Uint32(unix.IFLA_LINK, 2)
			ae.Uint32(unix.IFLA_LINK_NETNSID, 3) // a VLAN of another namespace's interface
			kind(ae, "vlan")
		}),
	} {
		l, ok := parseLink(m)
		if !ok {
			t.Fatalf("cannot read %x", m)
		}
		raw = append(raw, l)
	}
	lower := map[string][]int{"bond0": {2}, "bond0.7": {4}}
	for _, l := range relate(raw) {
		if !slices.Equal(l.Lower, lower[l.Name]) {
			t.Errorf("%s stands on %v, want %v", l.Name, l.Lower, lower[l.Name])
		}
		if (l.Aside != "") != (l.Name == "ifb0") {
			t.Errorf("%s is set aside as %q", l.Name, l.Aside)
		}
		switch l.Name {
		case "sit1":
			if l.LinkType != packet.LinkTypeRaw || l.MAC != nil {
				t.Errorf("the tunnel is %+v", l)
			}
		case "veth0":
			if l.Up {
				t.Error("veth0 is up though it has no carrier")
			}
		}
	}
}

// The link types are libpcap's.
func TestLinkTypes(t *testing.T) {
	for _, c := range []struct {
		hardware uint16
		want     packet.LinkType
		cooked   bool
	}{
		{unix.ARPHRD_ETHER, packet.LinkTypeEthernet, false},
		{unix.ARPHRD_LOOPBACK, packet.LinkTypeEthernet, false},
		{unix.ARPHRD_NONE, packet.LinkTypeRaw, false},
		{unix.ARPHRD_TUNNEL, packet.LinkTypeRaw, false},
		{unix.ARPHRD_SIT, packet.LinkTypeRaw, false},
		{unix.ARPHRD_PPP, packet.LinkTypeLinuxSLL, true},
		{unix.ARPHRD_RAWIP, packet.LinkTypeLinuxSLL, true},
		{unix.ARPHRD_IPGRE, packet.LinkTypeLinuxSLL, true},
		{unix.ARPHRD_TUNNEL6, packet.LinkTypeLinuxSLL, true},
		{unix.ARPHRD_INFINIBAND, packet.LinkTypeLinuxSLL, true},
		{unix.ARPHRD_IEEE80211_RADIOTAP, packet.LinkTypeRadiotap, false},
		{unix.ARPHRD_NETLINK, packet.LinkTypeNetlink, true},
		{unix.ARPHRD_CAN, linkTypeSocketCAN, false},
		{12345, packet.LinkTypeLinuxSLL, true},
	} {
		if lt, cooked := linkTypeOf(c.hardware); lt != c.want || cooked != c.cooked {
			t.Errorf("hardware %d is %v, cooked %v; want %v, %v", c.hardware, lt, cooked, c.want, c.cooked)
		}
	}
}

// FuzzMessages reads foreign rtnetlink messages.
func FuzzMessages(f *testing.F) {
	f.Add(linkMessage(f, 1, 2, unix.IFF_UP, func(ae *netlink.AttributeEncoder) {
		ae.String(unix.IFLA_IFNAME, "eth0")
		ae.Uint32(unix.IFLA_MASTER, 2)
	}))
	f.Add([]byte{2, 24, 0, 0, 1, 0, 0, 0, 8, 0, 1, 0, 192, 0, 2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, ok := parseLink(b); ok {
			if l.Name == "" || l.Index <= 0 {
				t.Errorf("%+v passes for a link", l)
			}
			for _, r := range relate([]rawLink{l}) {
				if len(r.Lower) > 0 && r.Lower[0] != l.Index {
					t.Errorf("%+v stands on what is not there", r)
				}
			}
		}
		if _, prefix, ok := parseAddr(b); ok && !prefix.IsValid() {
			t.Errorf("the prefix %v passes", prefix)
		}
	})
}
