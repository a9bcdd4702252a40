package cache

import (
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
)

// Interfaces have other numbers in each run of the service. What is restored is
// not rewritten: each segment names a table by which the numbers in its records
// are to be read.

const (
	// maxTables bounds how many there are; the number of one takes a byte.
	maxTables = 256
	// maxTranslated bounds how many numbers all have together.
	maxTranslated = 4 * maxInterfaces
)

// A table says which interfaces the numbers of an earlier run mean. Table 0
// stands for the cache's own numbers and says nothing.
type table struct {
	// ids are the cache's own numbers, links the link types. Neither changes as long
	// as the table is in use, so that readers can keep them.
	ids   []packet.InterfaceID
	links []packet.LinkType
	// users are the segments that name it, and a Restorer. Those of table 0 are not
	// counted.
	users int
}

// noID stands in a table for an interface that is not known.
const noID = ^packet.InterfaceID(0)

// enter announces the interfaces of an earlier run and returns the number of the
// table that stands for them: 0 if their numbers are the cache's own. It counts
// as one of its users. Those without a name are not known. It reports false if
// there are too many tables, or interfaces.
func (c *Cache) enter(interfaces []packet.Interface) (number uint8, ok bool) {
	t := table{ids: make([]packet.InterfaceID, len(interfaces)), links: make([]packet.LinkType, len(interfaces))}
	same := true
	for i := range interfaces {
		id := noID
		if interfaces[i].Name != "" {
			var err error
			if id, err = c.number(&interfaces[i]); err != nil {
				return 0, false
			}
		}
		t.ids[i], t.links[i] = id, interfaces[i].LinkType
		same = same && (id == noID || int(id) == i)
	}
	if same {
		return 0, true
	}
	at := slices.IndexFunc(c.tables, func(other table) bool { return slices.Equal(other.ids, t.ids) })
	if at < 0 {
		sum := len(t.ids)
		for i := range c.tables {
			if c.tables[i].users == 0 {
				c.tables[i] = table{}
			}
			sum += len(c.tables[i].ids)
		}
		if sum > maxTranslated {
			return 0, false
		}
		at = 1 + slices.IndexFunc(c.tables[1:], func(other table) bool { return other.users == 0 })
		if at == 0 && len(c.tables) < maxTables {
			at = len(c.tables)
			c.tables = append(c.tables, table{})
		}
		if at == 0 {
			return 0, false
		}
		c.tables[at] = t
	}
	c.tables[at].users++
	return uint8(at), true
}

// leaveTable takes one from the users of a table.
func (c *Cache) leaveTable(number uint8) {
	if number > 0 {
		c.tables[number].users--
	}
}

// own is the cache's own number of an interface in a segment's records.
func (c *Cache) own(seg *segment, id packet.InterfaceID) packet.InterfaceID {
	return translate(c.tables[seg.table].ids, id)
}

// translate reads a number by the ids of a table; without any it is the cache's
// own.
func translate(ids []packet.InterfaceID, id packet.InterfaceID) packet.InterfaceID {
	if len(ids) > 0 {
		return ids[id]
	}
	return id
}

// known tells the numbers that a segment's records can have.
func (c *Cache) known(seg *segment) func(packet.InterfaceID) bool {
	ids := c.tables[seg.table].ids
	if seg.table > 0 {
		return func(id packet.InterfaceID) bool { return int(id) < len(ids) && ids[id] != noID }
	}
	n := len(c.interfaces)
	return func(id packet.InterfaceID) bool { return int(id) < n }
}

// linksOf are the link types by the numbers in a segment's records.
func (c *Cache) linksOf(seg *segment) []packet.LinkType {
	if seg.table > 0 {
		return c.tables[seg.table].links
	}
	return c.links
}
