// Package commandline says what is wrong with a command line, in the words of those who
// typed it.
package commandline

import (
	"fmt"
	"strings"
)

// Suggestion asks whether one of the known words was meant by a word that is none of
// them: `did you mean "status"?`. It is empty where none is near enough.
func Suggestion(word string, known []string) string {
	near := nearest(word, known)
	if len(near) == 0 {
		return ""
	}
	for i, n := range near {
		near[i] = fmt.Sprintf("%q", n)
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// nearest are the known words that a word could be a slip of: a letter too much, too
// little, another one, or two in the wrong order, and in longer words two such slips.
// Of words equally near it has all, since the first may well be uninstall.
func nearest(word string, known []string) (near []string) {
	if len(word) < 2 {
		return nil
	}
	best := 1
	if len(word) > 5 {
		best = 2
	}
	for _, k := range known {
		switch d := slips(strings.ToLower(word), k); {
		case d < best:
			best, near = d, []string{k}
		case d == best:
			near = append(near, k)
		}
	}
	return near
}

// slips counts how many slips of a typist lie between two words: the distance of
// Damerau and Levenshtein in which a letter is moved once at most.
func slips(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
