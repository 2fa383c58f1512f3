package prompt

import (
	"fmt"
	"strings"
	"time"
)

// chinese is the rules of Mandarin. Digits read singly say 一 for 1, not 幺: both
// are understood, and a caller who checks a number hears the digit that is written.
func chinese() *grammar {
	return &grammar{
		number: chineseNumber,
		money:  chineseMoney,
		date:   chineseDate,
		clock:  chineseClock,
		space:  "",

		vocabulary: chineseVocabulary,
		digits: map[rune]string{
			'0': "零", '1': "一", '2': "二", '3': "三", '4': "四", '5': "五", '6': "六", '7': "七", '8': "八",
			'9': "九", '*': "星", '#': "井", '+': "加", 'A': "a", 'B': "b", 'C': "c", 'D': "d",
		},
	}
}

// chineseDigit is one digit by its name.
func chineseDigit(d int64) string {
	return string([]rune("零一二三四五六七八九")[d])
}

func chineseNumber(n decimal) []string {
	var words []string
	if n.negative {
		words = append(words, "负")
	}
	words = append(words, chineseInt(n.whole)...)
	if n.fraction != "" {
		words = append(words, "点")
		for _, d := range n.fraction {
			words = append(words, chineseDigit(int64(d-'0')))
		}
	}
	return words
}

// chineseInt says an integer in groups of four digits. 2 is 两 before 千, 万 and 亿
// and 二 elsewhere: 二百, 两千, 两万, 十二万.
func chineseInt(n int64) []string {
	if n == 0 {
		return []string{"零"}
	}
	words := chineseGroups(n)
	// 10 to 19 at the head of a number drop the 一: 十二, 十二万.
	if len(words) > 1 && words[0] == "一" && words[1] == "十" {
		words = words[1:]
	}
	return words
}

func chineseGroups(n int64) []string {
	for _, scale := range []struct {
		value int64
		name  string
	}{{1e8, "亿"}, {1e4, "万"}} {
		if n < scale.value {
			continue
		}
		high, low := n/scale.value, n%scale.value
		words := chineseGroups(high)
		if high == 2 {
			words = []string{"两"}
		}
		words = append(words, scale.name)
		if low == 0 {
			return words
		}
		if low < scale.value/10 {
			words = append(words, "零")
		}
		return append(words, chineseGroups(low)...)
	}
	return chineseGroup(n)
}

// chineseGroup says 1 to 9999, with one 零 for any run of zeros inside.
func chineseGroup(n int64) []string {
	var words []string
	gap := false
	for _, scale := range []struct {
		value int64
		name  string
	}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
		d := n / scale.value % 10
		if d == 0 {
			gap = len(words) > 0
			continue
		}
		if gap {
			words = append(words, "零")
			gap = false
		}
		name := chineseDigit(d)
		if d == 2 && scale.value == 1000 {
			name = "两"
		}
		words = append(words, name)
		if scale.name != "" {
			words = append(words, scale.name)
		}
	}
	return words
}

// chineseCount says a number before a measure word: 两 for 2.
func chineseCount(n int64) []string {
	if n == 2 {
		return []string{"两"}
	}
	return chineseInt(n)
}

func chineseCurrencies() map[string]string {
	return map[string]string{
		"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "HKD": "港元", "JPY": "日元",
	}
}

// chineseMoney says yuan with 角 and 分, every other currency by its decimal: 十二点五美元.
func chineseMoney(n decimal, currency string) ([]string, error) {
	name, ok := chineseCurrencies()[currency]
	if !ok {
		return nil, fmt.Errorf("%w: currency %q", ErrUnsaid, currency)
	}
	cents, err := n.cents()
	if err != nil {
		return nil, err
	}
	if cents != 0 && currency == "JPY" {
		return nil, fmt.Errorf("%w: JPY has no hundredths", ErrUnsaid)
	}
	if currency != "CNY" && cents != 0 {
		n.fraction = strings.TrimRight(n.fraction, "0")
		return append(chineseNumber(n), name), nil
	}
	var words []string
	if n.negative {
		words = append(words, "负")
	}
	if n.whole != 0 || cents == 0 {
		words = append(append(words, chineseCount(n.whole)...), name)
	}
	jiao, fen := int64(cents/10), int64(cents%10)
	if jiao != 0 {
		words = append(append(words, chineseCount(jiao)...), "角")
	}
	if fen != 0 {
		if jiao == 0 && n.whole != 0 {
			words = append(words, "零")
		}
		words = append(append(words, chineseCount(fen)...), "分")
	}
	return words, nil
}

func chineseDate(t time.Time) []string {
	var words []string
	for _, d := range fmt.Sprint(t.Year()) {
		words = append(words, chineseDigit(int64(d-'0')))
	}
	words = append(words, "年")
	words = append(append(words, chineseInt(int64(t.Month()))...), "月")
	return append(append(words, chineseInt(int64(t.Day()))...), "日")
}

// chineseClock says 15:04 as 下午三点零四分.
func chineseClock(hour, minute int) []string {
	part := "晚上"
	switch {
	case hour < 6:
		part = "凌晨"
	case hour < 12:
		part = "上午"
	case hour < 13:
		part = "中午"
	case hour < 18:
		part = "下午"
	}
	if hour > 12 {
		hour -= 12
	}
	words := append(append([]string{part}, chineseCount(int64(hour))...), "点")
	if minute == 0 {
		return words
	}
	if minute < 10 {
		words = append(words, "零")
	}
	return append(append(words, chineseInt(int64(minute))...), "分")
}

func chineseVocabulary() []string {
	words := strings.Fields("零 一 二 三 四 五 六 七 八 九 十 百 千 万 亿 两 点 负 角 分 年 月 日 凌晨 上午 中午 下午 晚上")
	for _, name := range chineseCurrencies() {
		words = append(words, name)
	}
	return words
}
