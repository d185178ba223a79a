OPENQASM 3.0;
include "stdgates.inc";
input float[64] beta_0;
input float[64] gamma_0;
gate rzz(p0) _gate_q_0, _gate_q_1 {
  cx _gate_q_0, _gate_q_1;
  rz(p0) _gate_q_1;
  cx _gate_q_0, _gate_q_1;
}
qubit[4] q;
h q[0];
h q[1];
h q[2];
h q[3];
rzz(gamma_0) q[0], q[1];
rzz(gamma_0) q[0], q[3];
rzz(gamma_0) q[1], q[2];
rzz(gamma_0) q[2], q[3];
rx(2*beta_0) q[0];
rx(2*beta_0) q[1];
rx(2*beta_0) q[2];
rx(2*beta_0) q[3];
