OPENQASM 3.0;
include "stdgates.inc";
input float[64] t_0;
input float[64] t_1;
input float[64] t_2;
input float[64] t_3;
gate rxx(p0) _gate_q_0, _gate_q_1 {
  h _gate_q_0;
  h _gate_q_1;
  cx _gate_q_0, _gate_q_1;
  rz(p0) _gate_q_1;
  cx _gate_q_0, _gate_q_1;
  h _gate_q_1;
  h _gate_q_0;
}
gate sxdg _gate_q_0 {
  s _gate_q_0;
  h _gate_q_0;
  s _gate_q_0;
}
gate ryy(p0) _gate_q_0, _gate_q_1 {
  sxdg _gate_q_0;
  sxdg _gate_q_1;
  cx _gate_q_0, _gate_q_1;
  rz(p0) _gate_q_1;
  cx _gate_q_0, _gate_q_1;
  sx _gate_q_0;
  sx _gate_q_1;
}
gate rzz(p0) _gate_q_0, _gate_q_1 {
  cx _gate_q_0, _gate_q_1;
  rz(p0) _gate_q_1;
  cx _gate_q_0, _gate_q_1;
}
qubit[4] q;
x q[0];
x q[2];
rxx(2*t_0) q[0], q[1];
ryy(2*t_0) q[0], q[1];
rzz(2*t_0) q[0], q[1];
rxx(2*t_0) q[2], q[3];
ryy(2*t_0) q[2], q[3];
rzz(2*t_0) q[2], q[3];
rxx(2*t_1) q[1], q[2];
ryy(2*t_1) q[1], q[2];
rzz(2*t_1) q[1], q[2];
rxx(2*t_2) q[0], q[1];
ryy(2*t_2) q[0], q[1];
rzz(2*t_2) q[0], q[1];
rxx(2*t_2) q[2], q[3];
ryy(2*t_2) q[2], q[3];
rzz(2*t_2) q[2], q[3];
rxx(2*t_3) q[1], q[2];
ryy(2*t_3) q[1], q[2];
rzz(2*t_3) q[1], q[2];
