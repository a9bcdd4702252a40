//go:build race

package cache

// raceEnabled: everything takes ten times as long.
const raceEnabled = true
