package week

import "strings"

// words are what names and texts are made of.
var words = strings.Fields(`
account action address agenda amount annual answer archive article asset audit
balance bank battery billing board branch budget build button calendar camera
campus capital card cargo case catalog change channel chart client cloud code
comment company contact content contract copy course credit customer data date
delivery demand design detail device digital discount document domain draft
engine entry event export factory field figure file filter finance folder form
forum freight garden global group guide health history holiday hotel image
import index insight invoice item journal label language leader ledger letter
library license line link list local location logic login lookup machine mail
manager margin market master media meeting member memory menu message mobile
model module month network news note notice number object offer office online
order outline owner package page panel paper partner payment people period
person phone photo place plan platform player policy portal position press
price print process product profile program project public purchase quality
quarter query question quote rate record region release rental report request
research result return revenue review room route safety salary sample schedule
school science screen search season section security server service session
setting share shipping shop signal site social source sport staff standard
station status stock storage store stream street student style subject summary
supply support survey system table target task tax team template test theme
ticket title topic total tour track trade traffic training travel trend type
union unit update user value vendor version video view visit voice volume water
weather week window work world year zone the and of to in is for with that on`)

// appendText appends prose, or what passes for it.
func (s *stream) appendText(b []byte, size int) []byte {
	end := len(b) + size
	for len(b) < end {
		// Few words are often, as in all languages.
		n := int(float64(len(words)) * s.random.Float64() * s.random.Float64())
		b = append(b, words[len(words)-1-n]...)
		b = append(b, ' ')
	}
	return b[:end]
}

// text is so much prose.
func (s *stream) text(size int) []byte { return s.appendText(nil, size) }
