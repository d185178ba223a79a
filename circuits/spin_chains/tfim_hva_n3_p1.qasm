OPENQASM 3.0;
include "stdgates.inc";
input float[64] t_0;
input float[64] t_1;
gate rzz(p0) _gate_q_0, _gate_q_1 {
  cx _gate_q_0, _gate_q_1;
  rz(p0) _gate_q_1;
  cx _gate_q_0, _gate_q_1;
}
qubit[3] q;
h q[0];
h q[1];
h q[2];
rzz((-2)*t_0) q[0], q[1];
rzz((-2)*t_0) q[1], q[2];
rx((-2)*t_1) q[1];
rx((-2)*t_1) q[0];
rx((-2)*t_1) q[2];
