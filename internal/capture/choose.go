package capture

import "slices"

// A choice is what is to be done with a link.
type choice struct {
	link  Link
	state State // StateCapturing, StateExcluded or StateCovered
	// reason says why an excluded link is left out.
	reason string
	// coveredBy names the links that show a covered link's packets.
	coveredBy []string
}

// choose picks the links to capture from, so that each packet is recorded once
// and as near to the wire as can be.
//
// Of links that stand on one another the lowest selected ones are captured: the
// members of a bridge, bond or team, the parent of a VLAN device. They show
// what the upper one does not: the tags, which member it was, what the bridge
// passes on without taking part. (A frame that a bridge passes on is seen on
// both members, as a routed one is on both interfaces.) The upper link is
// captured if none of the lower ones is selected.
func (s selection) choose(links []Link) []choice {
	choices := make([]choice, len(links))
	selected := make(map[int]Link)
	for i, l := range links {
		choices[i] = choice{link: l, state: StateExcluded}
		switch {
		case matchesAny(s.exclude, l.Name):
			choices[i].reason = "by the exclude setting"
		case len(s.include) > 0 && !matchesAny(s.include, l.Name):
			choices[i].reason = "not in the interfaces setting"
		case l.Aside != "" && !slices.Contains(s.include, l.Name):
			choices[i].reason = l.Aside
		default:
			choices[i].state = StateCapturing
			selected[l.Index] = l
		}
	}
	byIndex := make(map[int]Link, len(links))
	for _, l := range links {
		byIndex[l.Index] = l
	}
	for i, c := range choices {
		if c.state != StateCapturing {
			continue
		}
		if names := covering(c.link, byIndex, selected); len(names) > 0 {
			choices[i].state, choices[i].coveredBy = StateCovered, names
		}
	}
	return choices
}

// covering returns the names of the lowest selected links below a link, sorted.
func covering(top Link, byIndex, selected map[int]Link) (names []string) {
	seen := map[int]bool{top.Index: true}
	// below reports whether a selected link was found under l.
	var below func(l Link) bool
	below = func(l Link) (found bool) {
		for _, index := range l.Lower {
			lower, exists := byIndex[index]
			if !exists || seen[index] {
				continue
			}
			seen[index] = true
			deeper := below(lower)
			_, chosen := selected[index]
			if chosen && !deeper {
				names = append(names, lower.Name)
			}
			found = found || chosen || deeper
		}
		return found
	}
	below(top)
	slices.Sort(names)
	return names
}
