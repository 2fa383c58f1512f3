package dtmf

// Figures of the tone detector, after ITU-T Q.24 for levels and twist; the energy
// share and the equal blocks in a row are what keeps speech out.
const (
	block     = 102   // samples: 12.75 ms, 78 Hz between bins
	accept    = 8     // points that make a key: two clear blocks, or four less clear ones
	plain     = 0.95  // share of the energy that makes a block a clear one: 4 points, else 2
	release   = 2     // blocks without it that end it
	share     = 0.80  // of the block's energy that the two tones must hold
	secondary = 6.3   // 8 dB: any other tone of the group is this much weaker
	twist     = 6.3   // 8 dB: low group stronger than the high one
	reverse   = 6.3   // 8 dB: high group stronger than the low one
	floor     = 40000 // mean square of the quietest block listened to: about -38 dBm0
)

// detectorKeys are the keys by low and high tone.
const detectorKeys = "123A456B789C*0#D"

// coefficients are 2 cos(2 pi f / 8000) of the eight tones: 697, 770, 852, 941,
// 1209, 1336, 1477, 1633 Hz.
var coefficients = [8]float32{
	1.7077378, 1.6452810, 1.5686870, 1.4782046,
	1.1641040, 0.9963702, 0.7986184, 0.5685327,
}

// Detector finds keys in audio by their tones (Goertzel filters). It is for calls
// without telephone-events only: with them, the key would count twice. The zero
// value is ready.
type Detector struct {
	v1, v2 [8]float32
	energy float32
	n      int

	candidate byte
	points    int // of the candidate's equal blocks in a row
	held      byte
	missing   int // blocks since the held key was heard last
}

// Note takes samples and calls found for each key, once a press.
func (d *Detector) Note(pcm []int16, found func(digit byte)) {
	for _, s := range pcm {
		x := float32(s)
		d.energy += x * x
		for i := range d.v1 {
			v := x + coefficients[i]*d.v1[i] - d.v2[i]
			d.v2[i], d.v1[i] = d.v1[i], v
		}
		d.n++
		if d.n == block {
			if key := d.decide(d.judge()); key != 0 {
				found(key)
			}
			d.v1, d.v2, d.energy, d.n = [8]float32{}, [8]float32{}, 0, 0
		}
	}
}

// Sounds reports whether the tones of the last key found have not ended yet.
func (d *Detector) Sounds() bool { return d.held != 0 }

// judge names the key whose tones make up the block, 0 if none, and how sure it is.
func (d *Detector) judge() (key byte, points int) {
	if d.energy < floor*block {
		return 0, 0
	}
	var power [8]float32
	for i := range power {
		power[i] = d.v1[i]*d.v1[i] + d.v2[i]*d.v2[i] - coefficients[i]*d.v1[i]*d.v2[i]
	}
	low, high := strongest(power[:4]), strongest(power[4:])
	l, h := power[low], power[4+high]
	if l > h*twist || h > l*reverse {
		return 0, 0
	}
	for i, p := range power {
		if i != low && i < 4 && p*secondary > l || i != 4+high && i >= 4 && p*secondary > h {
			return 0, 0
		}
	}
	// a sine of amplitude A has power (A n/2)^2 here and energy A^2 n/2
	held := (l + h) * 2 / block
	if held < share*d.energy {
		return 0, 0
	}
	points = 2
	if held >= plain*d.energy {
		points = 4
	}
	return detectorKeys[low*4+high], points
}

func strongest(power []float32) int {
	best := 0
	for i, p := range power {
		if p > power[best] {
			best = i
		}
	}
	return best
}

// decide turns the keys of blocks into presses.
func (d *Detector) decide(key byte, points int) byte {
	if d.held != 0 {
		if key == d.held {
			d.missing = 0
			return 0
		}
		if d.missing++; d.missing >= release {
			d.held = 0
		}
	}
	if key == 0 || key != d.candidate {
		d.candidate, d.points = key, points
		return 0
	}
	d.points += points
	if d.points >= accept && d.held != key {
		d.held, d.missing = key, 0
		return key
	}
	return 0
}
