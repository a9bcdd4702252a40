package cache

import (
	"fmt"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// maxInterfaces bounds what a file full of interface descriptions can make
// the cache remember.
const maxInterfaces = 4096

// interfaceName is what makes an interface the same when it comes again.
type interfaceName struct {
	name     string
	linkType packet.LinkType
}

type interfaceState struct {
	packet.Interface
	stats InterfaceStats
}

// InterfaceStats are totals of one interface.
type InterfaceStats struct {
	// Seen were handed to Append, Refused among them were not stored.
	Seen, Refused Count
	// Restored are from earlier runs.
	Restored Count
	// Evicted were stored or restored and have gone since.
	Evicted Count
}

// Stored is what is there now.
func (s InterfaceStats) Stored() Count {
	return s.Seen.minus(s.Refused).plus(s.Restored).minus(s.Evicted)
}

// Interface announces an interface and returns the number that its packets
// are to carry: the same for the same name and link type.
func (c *Cache) Interface(i packet.Interface) (packet.InterfaceID, error) {
	c.prepareFor(i.LinkType)
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := c.number(&i)
	if err == nil {
		c.interfaces[id].Interface = i
	}
	return id, err
}

// number returns the number of an interface, a new one if it is not known yet.
func (c *Cache) number(i *packet.Interface) (packet.InterfaceID, error) {
	key := interfaceName{i.Name, i.LinkType}
	if id, ok := c.numbers[key]; ok {
		return id, nil
	}
	if len(c.interfaces) == maxInterfaces {
		return 0, fmt.Errorf("interface %q: the cache holds packets of %d interfaces already and can tell no more apart", i.Name, maxInterfaces)
	}
	id := packet.InterfaceID(len(c.interfaces))
	c.interfaces = append(c.interfaces, interfaceState{Interface: *i})
	c.links = append(c.links, i.LinkType)
	c.numbers[key] = id
	return id, nil
}

// Interfaces returns all that were ever announced or restored, by number, with
// their totals.
func (c *Cache) Interfaces() ([]packet.Interface, []InterfaceStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	interfaces := make([]packet.Interface, len(c.interfaces))
	stats := make([]InterfaceStats, len(c.interfaces))
	for i := range c.interfaces {
		interfaces[i], stats[i] = c.interfaces[i].Interface, c.interfaces[i].stats
	}
	return interfaces, stats
}

// interfaceShares count a segment's packets by interface, so that what is
// evicted can be booked without reading it. Few interfaces are busy at a
// time; a segment of more is read.
type interfaceShares struct {
	id      [3]packet.InterfaceID
	packets [3]uint16
	bytes   [3]uint32
	n       uint8
	many    bool
}

func (s *interfaceShares) add(id packet.InterfaceID, packets, bytes int) {
	for i := range s.id[:s.n] {
		if s.id[i] == id {
			s.packets[i] += uint16(packets)
			s.bytes[i] += uint32(bytes)
			return
		}
	}
	if int(s.n) == len(s.id) {
		s.many = true
		return
	}
	s.id[s.n], s.packets[s.n], s.bytes[s.n] = id, uint16(packets), uint32(bytes)
	s.n++
}

// appendTo appends what each interface has.
func (s *interfaceShares) appendTo(list []record.Share) []record.Share {
	for i := range s.id[:s.n] {
		list = append(list, record.Share{Interface: s.id[i], Packets: s.packets[i], Bytes: s.bytes[i]})
	}
	return list
}

// remove takes back a packet that left for another segment.
func (s *interfaceShares) remove(id packet.InterfaceID, bytes int) {
	for i := range s.id[:s.n] {
		if s.id[i] == id && s.packets[i] > 0 {
			s.packets[i]--
			s.bytes[i] -= uint32(bytes)
			return
		}
	}
}
