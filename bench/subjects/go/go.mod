// SPDX-FileCopyrightText: The rein authors
// SPDX-License-Identifier: MIT
module bench

go 1.21
