OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta_0;
input float[64] theta_1;
input float[64] theta_2;
input float[64] theta_3;
input float[64] theta_4;
input float[64] theta_5;
input float[64] theta_6;
input float[64] theta_7;
input float[64] theta_8;
input float[64] theta_9;
input float[64] theta_10;
input float[64] theta_11;
input float[64] theta_12;
input float[64] theta_13;
input float[64] theta_14;
input float[64] theta_15;
input float[64] theta_16;
input float[64] theta_17;
gate sxdg _gate_q_0 {
  s _gate_q_0;
  h _gate_q_0;
  s _gate_q_0;
}
gate xx_plus_yy(p0, p1) _gate_q_0, _gate_q_1 {
  rz(p1) _gate_q_0;
  sdg _gate_q_1;
  sx _gate_q_1;
  s _gate_q_1;
  s _gate_q_0;
  cx _gate_q_1, _gate_q_0;
  ry((-0.5)*p0) _gate_q_1;
  ry((-0.5)*p0) _gate_q_0;
  cx _gate_q_1, _gate_q_0;
  sdg _gate_q_0;
  sdg _gate_q_1;
  sxdg _gate_q_1;
  s _gate_q_1;
  rz(-p1) _gate_q_0;
}
gate Interaction(theta_4) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_4, 0) _gate_q_0, _gate_q_1;
}
gate Interaction_0(theta_5) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_5, 0) _gate_q_0, _gate_q_1;
}
gate Interaction_1(theta_6) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_6, 0) _gate_q_0, _gate_q_1;
}
gate Interaction_2(theta_11) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_11, 0) _gate_q_0, _gate_q_1;
}
gate Interaction_3(theta_12) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_12, 0) _gate_q_0, _gate_q_1;
}
gate Interaction_4(theta_13) _gate_q_0, _gate_q_1 {
  xx_plus_yy(2*theta_13, 0) _gate_q_0, _gate_q_1;
}
qubit[4] q;
x q[0];
x q[2];
rz(theta_0) q[0];
rz(theta_1) q[1];
rz(theta_2) q[2];
rz(theta_3) q[3];
Interaction(theta_4) q[0], q[1];
Interaction_0(theta_5) q[1], q[2];
Interaction_1(theta_6) q[2], q[3];
rz(theta_7) q[0];
rz(theta_8) q[1];
rz(theta_9) q[2];
rz(theta_10) q[3];
Interaction_2(theta_11) q[0], q[1];
Interaction_3(theta_12) q[1], q[2];
Interaction_4(theta_13) q[2], q[3];
rz(theta_14) q[0];
rz(theta_15) q[1];
rz(theta_16) q[2];
rz(theta_17) q[3];
