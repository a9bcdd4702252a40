package adapters

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Flags of IP_ADAPTER_ADDRESSES_LH (iptypes.h).
const (
	ipv4Enabled = 0x80
	ipv6Enabled = 0x100
)

// bound lists the adapters that the machine uses with TCP/IP, with their
// addresses ("GetAdaptersAddresses function (iphlpapi.h)").
func bound() ([]adapter, error) {
	const skip = windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST | windows.GAA_FLAG_SKIP_DNS_SERVER
	size := uint32(16 << 10) // what the page recommends, to need one call only
	for {
		buf := make([]uint64, size/8+1) // aligned as the structures are
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0]))
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, skip, 0, first, &size)
		switch {
		case errors.Is(err, windows.ERROR_NO_DATA):
			return nil, nil
		case errors.Is(err, windows.ERROR_BUFFER_OVERFLOW):
			continue // there are more by now, and size says how much that is
		case err != nil:
			return nil, fmt.Errorf("GetAdaptersAddresses: %w", err)
		}
		var list []adapter
		for a := first; a != nil; a = a.Next {
			if a.Flags&(ipv4Enabled|ipv6Enabled) != 0 {
				list = append(list, describe(a))
			}
		}
		return list, nil
	}
}

// describe copies what is of use out of Windows' structure.
func describe(from *windows.IpAdapterAddresses) adapter {
	a := adapter{
		index:       int(from.IfIndex),
		guid:        strings.ToUpper(windows.BytePtrToString(from.AdapterName)),
		name:        windows.UTF16PtrToString(from.FriendlyName),
		description: windows.UTF16PtrToString(from.Description),
		ifType:      uint16(from.IfType),
		mac:         hardwareAddress(from.PhysicalAddress[:], from.PhysicalAddressLength),
		up:          from.OperStatus == windows.IfOperStatusUp,
		bound:       true,
	}
	if a.index == 0 { // IPv4 is switched off there
		a.index = int(from.Ipv6IfIndex)
	}
	for u := from.FirstUnicastAddress; u != nil; u = u.Next {
		addr, ok := netip.AddrFromSlice(u.Address.IP())
		if prefix := netip.PrefixFrom(addr.Unmap(), int(u.OnLinkPrefixLength)); ok && prefix.IsValid() {
			a.addrs = append(a.addrs, prefix)
		}
	}
	return a
}

// unbound lists adapters by their GUIDs that bound does not ("GetIfTable2Ex
// function (netioapi.h)"). Nothing is lost if it fails but those.
func unbound(guids map[string]string, known []adapter) (list []adapter) {
	missing := map[string]bool{}
	for guid := range guids {
		missing[guid] = true
	}
	for i := range known {
		delete(missing, known[i].guid)
	}
	if len(missing) == 0 {
		return nil
	}
	var table *windows.MibIfTable2
	if windows.GetIfTable2Ex(windows.MibIfTableNormalWithoutStatistics, &table) != nil {
		return nil
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	rows := unsafe.Slice(&table.Table[0], table.NumEntries)
	for i := range rows {
		row := &rows[i]
		guid := strings.ToUpper(row.InterfaceGuid.String())
		if !missing[guid] {
			continue
		}
		delete(missing, guid) // filters of an adapter have its GUID, too
		list = append(list, adapter{
			index:       int(row.InterfaceIndex),
			guid:        guid,
			name:        windows.UTF16ToString(row.Alias[:]),
			description: windows.UTF16ToString(row.Description[:]),
			ifType:      uint16(row.Type),
			mac:         hardwareAddress(row.PhysicalAddress[:], row.PhysicalAddressLength),
			up:          row.OperStatus == windows.IfOperStatusUp,
		})
	}
	return list
}

// hardwareAddress copies an address of a length that pcapng has room for.
func hardwareAddress(b []byte, n uint32) []byte {
	if n != 6 && n != 8 {
		return nil
	}
	return append([]byte(nil), b[:n]...)
}

// stack reads which interfaces stand on which ("GetIfStackTable function
// (netioapi.h)"). Where there is no such function, nothing is known of that.
func stack() []stackRow {
	get := windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetIfStackTable")
	if get.Find() != nil {
		return nil
	}
	var table *struct { // MIB_IFSTACK_TABLE
		n    uint32
		rows [1]stackRow
	}
	if status, _, _ := get.Call(uintptr(unsafe.Pointer(&table))); status != 0 || table == nil {
		return nil
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	return append([]stackRow(nil), unsafe.Slice(&table.rows[0], table.n)...)
}

// system names the operating system as pcapng's if_os has it.
func system() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("Windows %d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
