package record

// Each calls do with each of the records that raw holds from its beginning, in
// their order: its offset, what it says, and the captured bytes. It ends early
// if do returns false, or where raw makes no sense, and reports whether it has
// come to the end. Stamped says that the records are of the probation log: each
// has a stamp, which is passed over, and is readable without the one before.
func Each(raw []byte, stamped bool, do func(offset int, h *Header, data []byte) bool) bool {
	var h Header
	for at := 0; at < len(raw); {
		offset := at
		size := h.Get(raw[at:], Base{Time: h.Time, Interface: h.Interface, None: at == 0 || stamped})
		if size == 0 {
			return false
		}
		if stamped {
			size += StampSize
		}
		if at += size; h.Length > len(raw)-at {
			return false
		}
		if !do(offset, &h, raw[at:at+h.Length:at+h.Length]) {
			return false
		}
		at += h.Length
	}
	return true
}
