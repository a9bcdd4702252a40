package adapters

import "slices"

// A stackRow is MIB_IFSTACK_ROW: one interface stands directly on another.
type stackRow struct{ higher, lower uint32 }

// relate finds the members of virtual switches, bridges and teams, by index.
// Between the layers stand filters and other interfaces that are not listed.
//
// Only adapters that are not bound count as members: Windows takes TCP/IP off
// the members of a switch, bridge or team. Where both are bound, as with Wi-Fi
// and its hotspot or a tunnel and what carries it, each has traffic that the
// other does not show.
func relate(adapters []adapter, rows []stackRow) map[int][]int {
	listed := make(map[uint32]*adapter, len(adapters))
	for i := range adapters {
		listed[uint32(adapters[i].index)] = &adapters[i]
	}
	lower := make(map[uint32][]uint32, len(rows))
	for _, r := range rows {
		lower[r.higher] = append(lower[r.higher], r.lower)
	}
	below := map[int][]int{}
	for top := range listed {
		seen := map[uint32]bool{top: true}
		var members []int
		var descend func(uint32)
		descend = func(from uint32) {
			for _, index := range lower[from] {
				if seen[index] {
					continue
				}
				seen[index] = true
				a := listed[index]
				switch {
				case a == nil:
					descend(index)
				case !a.bound:
					members = append(members, a.index)
				}
			}
		}
		descend(top)
		if len(members) > 0 {
			slices.Sort(members)
			below[int(top)] = members
		}
	}
	return below
}
