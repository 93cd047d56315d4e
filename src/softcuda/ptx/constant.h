// Constants and the operators of constant expressions. PTX ISA, "Constants": integers are 64 bits
// wide and wrap; an operation of a signed and an unsigned integer is unsigned.
#pragma once

#include <optional>
#include <string_view>

#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {

// nullopt: not a number of PTX, or an integer over 64 bits.
std::optional<Constant> parse_number(std::string_view text) noexcept;

// nullopt: the operator has no meaning for the operands, or divides by zero.
std::optional<Constant> apply(std::string_view op, Constant operand) noexcept;
std::optional<Constant> apply(std::string_view op, Constant left, Constant right) noexcept;
// Of binary operators, from 1 (||) up; 0: not one.
int precedence_of(std::string_view op) noexcept;

double real_value(Constant constant) noexcept;  // also of integers
bool is_true(Constant constant) noexcept;

}  // namespace longwire::softcuda::ptx
